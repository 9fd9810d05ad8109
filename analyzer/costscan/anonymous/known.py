"""Names that tell nothing of who wrote a log: those that come with clients and with the API."""

from typing import Final

TOOLS: Final = frozenset((
    "Agent", "AskUserQuestion", "Bash", "BashOutput", "Edit", "EnterPlanMode", "EnterWorktree",
    "ExitPlanMode", "ExitWorktree", "Glob", "Grep", "KillBash", "KillShell", "LS", "LSP",
    "ListMcpResourcesTool", "Monitor", "MultiEdit", "NotebookEdit", "NotebookRead", "Read",
    "ReadMcpResourceTool", "SendMessage", "Skill", "SlashCommand", "StructuredOutput", "Task",
    "TaskCreate", "TaskGet", "TaskList", "TaskOutput", "TaskStop", "TaskUpdate", "TeamCreate",
    "TeamDelete", "TodoRead", "TodoWrite", "ToolSearch", "WebFetch", "WebSearch", "Write", "advisor",
    "bash", "bash_code_execution", "code_execution", "computer", "memory",
    "str_replace_based_edit_tool", "str_replace_editor", "text_editor_code_execution",
    "tool_search_tool_bm25", "tool_search_tool_regex", "web_fetch", "web_search",
))  # fmt: skip
AGENTS: Final = frozenset((
    "Explore", "Plan", "claude-code-guide", "general-purpose", "statusline-setup", "sub-agent",
    "unlogged",
))  # fmt: skip
WORDS: Final = frozenset((
    "1h", "5m", "batch", "compaction", "end_turn", "eu", "fast", "flex", "global", "high", "low", "max",
    "max_tokens", "medium", "minimal", "model_context_window_exceeded", "none", "not_available",
    "pause_turn", "priority", "refusal", "standard", "stop_sequence", "tool_use", "unbilled", "us",
    "xhigh",
))  # fmt: skip
"""What logs say of tiers, places, efforts, lifetimes, and of why a model stopped."""
TASKS: Final = frozenset((
    "unnamed", "totals only",
))  # fmt: skip
PATHS: Final = frozenset((
    "cache_control", "citations", "content", "context", "data", "description", "id", "input",
    "input_schema", "messages", "model", "name", "prompt", "settings", "source", "system", "text",
    "title", "tool_use_id", "tools", "type",
))  # fmt: skip
"""The words of a place in a request."""
