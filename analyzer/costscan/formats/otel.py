"""OpenTelemetry: traces, logs and metrics of agents, as OTLP/JSON or as SDKs write spans to a file.

An export is a line or one document; what an SDK writes (the file exporter of GitHub Copilot CLI, Python's
`ConsoleSpanExporter`) is a span or a log record an object. Read are the GenAI conventions, old and new,
OpenInference, and the events, spans and metrics of Claude Code.
What the numbers mean, and what is counted once:
- A span of the operation `chat`, `generate_content` or `text_completion`, or of the kind `LLM`, is a model
  call. Those of agents (`invoke_agent`) repeat the sum of theirs and are not counted.
- `gen_ai.usage.input_tokens` and `llm.token_count.prompt` hold what was read from and written to the cache.
  Of an instrumentation that tells counters of the cache on none of its spans in a file, what was cached is
  unknown: such calls are billed for their output alone.
- A call that several tell is counted once: spans with the same `gen_ai.response.id`, a span inside another
  one of a call (SDKs trace themselves under an instrumentation), a log record and a span with the same
  request id, an event of Gemini CLI and the event of the conventions that restates it. Events of clients
  (`api_request` of Claude Code, `api_response` of Gemini CLI and its forks) go first, then who tells how
  long cache writes live. Log records without an id are told apart by time and counters.
- `cost_usd` of Claude Code's events is what the client makes of it, kept as recorded.
- Metrics tell totals of a session, not calls: what they hold beyond the logged calls is billed as `unlogged`,
  so that logs, spans and metrics may be read together, and with the transcripts of the same sessions.
- `session.id` or `gen_ai.conversation.id`, else the trace, is the run. Prompts are shown where content was
  captured.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from costscan.formats.agents import claude_metrics, otlp, sdk_records
from costscan.formats.agents.spans import Spans
from costscan.formats.interface import Format, LogFile
from costscan.reading.io.json_lines import feed_objects
from costscan.reading.io.rows import Rows


def sniff(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are exports of OpenTelemetry."""
    return any(otlp.is_otlp(line) or sdk_records.is_record(line) for line in objects)


def read(file: LogFile, rows: Rows) -> None:
    """Read one file of exports."""
    calls, totals = Spans(), claude_metrics.Totals()

    def take(at: int, line: Mapping[str, Any]) -> bool:
        if sdk_records.is_record(line):
            record, is_log = sdk_records.record_of(line)
            (calls.add_log if is_log else calls.add_span)(at, record)
            return True
        if not otlp.is_otlp(line):
            return sdk_records.is_metric(line)
        for span in otlp.spans(line):
            calls.add_span(at, span)
        for log in otlp.logs(line):
            calls.add_log(at, log)
        for point in otlp.points(line):
            totals.add(at, point)
        return True

    feed_objects(file.on_disk, file.path, rows, take)
    calls.write(file, rows, FORMAT.name)
    rows.recorded.extend(totals.rows(file.path))


FORMAT = Format(
    name="otel",
    expected='OTLP/JSON exports such as {"resourceSpans":[{"scopeSpans":[{"spans":[…]}]}]}',
    sniff=sniff,
    read=read,
    # A transcript of the same session says more of a call.
    precedence=5,
    totals=("metrics",),
)
