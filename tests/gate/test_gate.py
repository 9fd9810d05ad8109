"""What a check says: what fails, what passes, and what it cannot decide."""

from decimal import Decimal
from math import exp, log
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costscan.errors import CostscanError
from costscan.gate import METRICS, Comparison, ComparisonSide, Judged, compare, limits
from costscan.gate.matching import matched
from costscan.gate.metric_change import change, per_task
from costscan.gate.side import read_report
from costscan.schema.frames import check as true_frame
from hypothesis_profile import examples
from sides import Run, Spent, costing, side
from trends import report

RULES = ["volatile-prefix", "no-caching"]
DEAR = Spent(units=(9000, 0, 0, 0, 100, 0), turns=3)
CHEAP = Spent(units=(1000, 8000, 0, 0, 100, 0), turns=3)


def judge(before: ComparisonSide | None, after: ComparisonSide, *words: str) -> Comparison:
    return compare(before, after, limits([("--fail-on", word) for word in words or ("usd:+5%",)], RULES))


def only(before: ComparisonSide | None, after: ComparisonSide, word: str) -> Judged:
    (found,) = judge(before, after, word).limits
    return found


COSTS = st.lists(st.integers(1, 10**7).map(lambda n: n / 10**6), min_size=1, max_size=12)


@examples(40)
@given(COSTS, st.booleans())
def test_what_is_the_same_passes(costs: list[float], one_task: bool) -> None:
    runs = costing(*costs, task="t" if one_task else None)
    found = judge(runs, runs)
    assert (found.verdict, found.exit_code) == ("passed", 0)
    assert found.usd_change == 0
    assert found.causes.is_empty()
    assert set(found.comparison["verdict"]) <= {"passed", "unchanged"}


@pytest.mark.parametrize("task", ["t", None])
def test_a_fifth_more_in_ten_pairs_fails(task: str | None) -> None:
    """Of 1,024 ways to exchange ten pairs, one gives so much: p = 1/1024."""
    costs = [1, 2.5, 0.3, 4, 9, 0.1, 1.1, 3, 2, 0.7]
    found = only(costing(*costs, task=task), costing(*(c * 1.2 for c in costs), task=task), "usd:+5%")
    assert found.verdict == "failed"
    assert found.p_value == 1 / 1024
    assert found.change == pytest.approx(0.2)
    assert found.before == pytest.approx(exp(sum(map(log, costs)) / 10))
    assert found.runs == (10, 10)


def test_runs_with_other_names_are_compared_with_their_task() -> None:
    """Each task has one run on each side: pairs, though no run stands on both sides."""
    costs = [1, 2.5, 0.3, 4, 9, 0.1]
    before = costing(*costs, task=None, ids="old")
    after = costing(*(c * 1.5 for c in costs), task=None, ids="new")
    assert only(before, after, "usd:+5%").p_value == 1 / 64


def test_runs_of_one_task_without_partners_are_two_samples() -> None:
    """Three and three: of 20 ways to divide six runs, one puts the three most expensive after."""
    before, after = costing(1, 1.1, 1.2, ids="old"), costing(2, 2.1, 2.2, ids="new")
    found = only(before, after, "usd:+5%")
    assert (found.p_value, found.verdict) == (1 / 20, "failed")


def test_files_of_the_same_name_are_pairs() -> None:
    def runs(factor: float, ids: str) -> ComparisonSide:
        return side(
            *(Run(f"{ids}{n}", usd=str(factor * 3**n), path=f"{ids}/case-{n}.jsonl") for n in range(6))
        )

    assert only(runs(1, "old"), runs(1.2, "new"), "usd:+5%").p_value == 1 / 64


@pytest.mark.parametrize(("n", "verdict"), [(1, "undecided"), (4, "undecided"), (5, "failed")])
def test_too_few_pairs_cannot_decide(n: int, verdict: str) -> None:
    """Four pairs have 16 exchanges: no change of any size is rarer than 1 in 16."""
    found = judge(costing(*range(1, n + 1), task=None), costing(*range(2, 2 * n + 2, 2), task=None))
    assert found.verdict == verdict
    assert found.exit_code == {"undecided": 3, "failed": 1}[verdict]
    assert found.limits[0].needed_runs == (5 if verdict == "undecided" else None)


def test_less_is_never_a_failure() -> None:
    found = judge(costing(5), costing(4))
    assert (found.verdict, found.limits[0].detectable) == ("passed", None)


def test_what_is_nearly_rare_is_undecided_and_says_how_many_runs_would_do() -> None:
    """Four of six pairs rose by a half, one fell by a tenth, one stayed: of 64 exchanges 4 give so much."""
    before, after = costing(1, 1, 1, 1, 1, 1, task=None), costing(1.5, 1.5, 1.5, 1.5, 0.9, 1, task=None)
    found = only(before, after, "usd:+5%")
    assert (found.verdict, found.p_value) == ("undecided", 4 / 64)
    assert found.needed_runs is not None
    assert 6 < found.needed_runs < 30


def test_what_chance_does_often_is_no_sign_of_a_change() -> None:
    """Of the signs of 3 x 0.69 and 3 x 0.51, 8 + 12 + 3 of 64 choices add up to the 0.55 that was seen."""
    before, after = costing(*[1] * 6, task=None), costing(2, 2, 2, 0.6, 0.6, 0.6, task=None)
    found = only(before, after, "usd:+5%")
    assert found.change == pytest.approx((2 * 0.6) ** 0.5 - 1)
    assert (found.verdict, found.is_over, found.p_value) == ("passed", True, 23 / 64)


def test_no_run_on_both_sides_is_undecided() -> None:
    found = judge(costing(1, task="a", ids="x"), costing(1, task="b", ids="y"))
    assert (found.verdict, found.limits[0].why) == (
        "undecided",
        "no run whose cost is known stands on both sides",
    )
    rows = {(row["task"], row["verdict"]) for row in found.comparison.iter_rows(named=True)}
    assert {("a", "gone"), ("b", "new")} <= rows


def test_sub_agents_of_an_older_report_belong_to_their_run(tmp_path: Path) -> None:
    """Schema 1 has a row per thread. Work that moved into a sub-agent is no saving: 2 = 1.5 + 0.5."""
    main = Run(
        "r", usd="1.5", found=[("no-caching", "a")], parts=[("Read", "tool_result", 7)], day="2026-11-02"
    )
    agent = Run("r/agent-1", "agent:x", usd="0.5", root="r", found=[("no-caching", "b")], unpriced_turns=1)
    orphan = Run("s/agent-2", "agent:y", usd="3", root="s", spent=(DEAR,), tool_calls=4)
    old = read_report(report(tmp_path / "old.parquet", agent, main, orphan, schema=1))
    found = compare(side(Run("r", usd="2"), Run("s", "agent:y", usd="3")), old)
    assert found.after.runs == 2
    assert found.after.usd == 5
    units = {row["run_id"]: row for row in old.units.iter_rows(named=True)}
    assert [units["r"][name] for name in ("task", "known_usd", "usd", "findings", "turns")] == [
        "t",
        2,
        None,
        2,
        1,
    ]
    assert str(units["r"]["started_at"])[:10] == "2026-11-02"
    assert [units["s"][name] for name in ("task", "usd", "tool_calls")] == ["agent:y", 3, 4]
    assert set(old.nested("found").select("run_id", "task", "fingerprint").rows()) == {
        ("r", "t", "a"),
        ("r", "t", "b"),
    }
    assert old.nested("parts").select("run_id", "sent_tokens").rows() == [("r", 7)]
    assert old.nested("spend").select("run_id", "turns").rows() == [("s", 3)]


def test_a_change_in_dollars() -> None:
    before, after = costing(1, 2, 3, 4, 5, 6, task=None), costing(2, 3, 4, 5, 6, 7, task=None)
    assert only(before, after, "usd:+0.90").verdict == "failed"
    assert only(before, after, "usd:+1.00").verdict == "passed"


def test_a_limit_for_one_task_and_for_each() -> None:
    before = side(*(Run(f"{t}{n}", t, usd="1") for t in "ab" for n in range(9)))
    after = side(*(Run(f"{t}{n}", t, usd="2" if t == "b" else "1") for t in "ab" for n in range(9)))
    assert only(before, after, "usd[a]:+5%").verdict == "passed"
    assert only(before, after, "usd[b]:+5%").verdict == "failed"
    each = judge(before, after, "usd[*]:+5%")
    assert [(row.task, row.verdict) for row in each.limits] == [("a", "passed"), ("b", "failed")]


def test_several_limits_share_the_rate_of_false_alarms() -> None:
    """Holm: of two p-values, 2/64 and 1/64 and the second alone, the smaller counts twice."""
    pairs = [(1, 2)] * 6
    before = side(*(Run(f"{n}", f"t{n}", (CHEAP,), usd=str(a)) for n, (a, _) in enumerate(pairs)))
    after = side(*(Run(f"{n}", f"t{n}", (CHEAP,), usd=str(b)) for n, (_, b) in enumerate(pairs)))
    alone = only(before, after, "usd:+5%")
    first, second = judge(before, after, "usd:+5%", "prompt_tokens:+5%").limits
    assert alone.p_value == 1 / 64
    assert first.p_value == 2 / 64
    assert (second.verdict, second.p_value) == ("passed", 1)


def test_a_falling_cache_hit_rate_is_worse() -> None:
    before = side(*(Run(f"r{n}", f"t{n}", (CHEAP,)) for n in range(6)))
    after = side(*(Run(f"r{n}", f"t{n}", (DEAR,)) for n in range(6)))
    found = only(before, after, "cache_hit_rate:-5%")
    assert found.verdict == "failed"
    assert found.change == pytest.approx(-8000 / 9000)
    assert only(after, before, "cache_hit_rate:-5%").verdict == "passed"


@pytest.mark.parametrize(
    ("word", "value", "member", "verdict"),
    [
        ("usd:10", 10.0, None, "passed"),
        ("usd:9.99", 10.0, None, "failed"),
        ("usd_per_run:3", 4.0, "c", "failed"),
        ("usd_per_run.mean:2.5", 2.5, None, "passed"),
        ("usd_per_run.p50:2", 2.0, "b", "passed"),
        ("usd_per_run.p95:3", 4.0, "c", "failed"),
        ("usd_per_run[x]:3", 2.0, "b", "passed"),
        ("usd_per_task:6", 7.0, "y", "failed"),
        ("usd[*]:7", 7.0, "y", "passed"),
        ("usd[x]:2", 3.0, None, "failed"),
        ("usd_per_day:6", 6.0, "2026-11-02", "passed"),
        ("usd_per_day[2026-11-01]:3", 4.0, "2026-11-01", "failed"),
        ("turns_per_run:2", 0.0, "a", "passed"),
        ("findings:1", 2.0, None, "failed"),
        ("findings_per_run:1", 1.0, "a", "passed"),
        ("volatile-prefix:0", 2.0, None, "failed"),
        ("volatile-prefix_per_task:1", 1.0, "x", "passed"),
        ("no-caching:0", 0.0, None, "passed"),
    ],
)
def test_budgets(word: str, value: float, member: str | None, verdict: str) -> None:
    hit = [("volatile-prefix", "f1")]
    after = side(
        Run("a", "x", usd="1", found=hit),
        Run("b", "x", usd="2", day="2026-11-02"),
        Run("c", "y", usd="4", found=hit, day="2026-11-02"),
        Run("d", "y", usd="3"),
    )
    found = only(None, after, word)
    assert (found.after, found.member, found.verdict) == (value, member, verdict)


def test_a_budget_for_a_task_that_nobody_ran_is_undecided() -> None:
    found = only(None, side(Run("a", "x", usd="1")), "usd[y]:5")
    assert (found.verdict, found.task, found.why) == ("undecided", "y", "there is no run of this task")


def test_a_budget_per_tool() -> None:
    parts = [("Bash", "tool_result", 4000), ("Read", "tool_result", 500), ("(user)", "text", 9000)]
    after = side(Run("a", spent=(DEAR,), parts=parts), Run("b", spent=(DEAR,), parts=parts))
    found = only(None, after, "prompt_tokens_per_tool:7000")
    assert (found.after, found.member, found.verdict) == (8000, "Bash", "failed")
    assert only(None, after, "prompt_tokens_per_tool[Read]:1000").verdict == "passed"


def test_a_cache_hit_rate_has_a_floor() -> None:
    after = side(Run("a", spent=(CHEAP,)), Run("b", spent=(DEAR,)))
    assert only(None, after, "cache_hit_rate:40%").verdict == "passed"
    assert only(None, after, "cache_hit_rate:50%").verdict == "failed"


def test_a_budget_with_unknown_prices_is_undecided_unless_what_is_known_passes_it() -> None:
    after = side(Run("a", usd="2", unpriced_turns=3))
    assert only(None, after, "usd:1").verdict == "failed"
    found = only(None, after, "usd:3")
    assert (found.verdict, found.why) == ("undecided", "3 calls have no known price")


def test_new_findings() -> None:
    old, new = ("volatile-prefix", "f1"), ("volatile-prefix", "f2")
    before, after = side(Run("a", found=[old])), side(Run("a", found=[old, new]), Run("b", found=[new]))
    found = judge(before, after, "new-findings:0")
    assert found.verdict == "failed"
    assert found.new_findings.select("fingerprint", "runs", "usd").rows() == [("f2", 2, Decimal(2))]
    assert found.fixed_findings.is_empty()
    assert judge(after, before, "new-findings:0").verdict == "passed"
    assert judge(after, before, "new-findings:0").fixed_findings["fingerprint"].to_list() == ["f2"]


def test_more_findings_than_before() -> None:
    before = side(Run("a", found=[("no-caching", "f1")]))
    after = side(Run("a", found=[("no-caching", "f1"), ("no-caching", "f2")]))
    assert only(before, after, "no-caching:+1").verdict == "passed"
    assert only(before, after, "no-caching:+0").verdict == "failed"


def test_the_environment_is_told() -> None:
    before = side(Run("a", spent=(CHEAP,)), basis={"costscan_version": "1", "prices_as_of": "2026-01-01"})
    after = side(
        Run("a", spent=(CHEAP,)),
        Run("b", spent=(Spent("claude-haiku-4-5"),), unpriced_turns=2),
        basis={"costscan_version": "1", "prices_as_of": "2026-02-02"},
    )
    told = {row.what: (row.before, row.after) for row in compare(before, after).environment}
    assert told == {
        "prices of": ("2026-01-01", "2026-02-02"),
        "models": ("", "only after: claude-haiku-4-5"),
        "calls without a price": ("0", "2"),
        "runs on both sides": ("1 of 1", "1 of 2"),
    }


def test_the_frame_is_the_canonical_one() -> None:
    found = judge(costing(1, 2, task=None), costing(1, 3, task=None), "usd:+5%", "findings:0").comparison
    true_frame("comparison", found)
    rows = {(row["task"], row["metric"]): row for row in found.iter_rows(named=True)}
    assert rows["(all)", "usd"]["limit"] == "+5%"
    assert rows["t1", "usd"]["change"] == pytest.approx(0.5)
    assert ("t1", "turns") not in rows


RUNS = st.lists(
    st.builds(
        Run,
        run_id=st.uuids().map(str),
        task=st.sampled_from(["x", "y"]),
        spent=st.just((CHEAP,)) | st.just((DEAR, CHEAP)) | st.just(()),
        usd=st.integers(0, 40).map(str),
        tool_calls=st.integers(0, 3),
        found=st.just(()) | st.just([("no-caching", "f")]),
    ),
    min_size=1,
    max_size=6,
)


@examples(40)
@given(RUNS, RUNS)
def test_all_tasks_at_once_are_each_by_itself(before: list[Run], after: list[Run]) -> None:
    units = matched(side(*before).units, side(*after).units)
    for name in METRICS:
        told = {row["task"]: row for row in per_task(units, name).iter_rows(named=True)}
        for task in "xy":
            alone = change(units.filter(task=task), task, name)
            assert (alone.before is None) == (task not in told)
            if alone.before is not None:
                row = told[task]
                assert (row["before"], row["after"]) == pytest.approx((alone.before, alone.after))
                assert row["change"] == pytest.approx(alone.change)
                sizes = sorted([len(g.before), len(g.after)] for g in alone.groups)
                assert sorted(row["sizes"]) == sizes


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("usd", "not METRIC:LIMIT"),
        ("usd:", "not METRIC:LIMIT"),
        ("usd:+x%", "not METRIC:LIMIT"),
        ("cost:+5%", "no metric and no rule cost"),
        ("usd:-5%", "gets worse in the direction of +"),
        ("cache_hit_rate:+5%", "gets worse in the direction of -"),
        ("usd:5%", "+10% is a change"),
        ("findings:+5%", "findings are counted"),
        ("usd_per_week:5", "no _per_week"),
        ("usd_per_run.p100:5", "no .p100"),
        ("usd.p95:5", ".p95 of what?"),
        ("usd_per_run:+5%", "without _per_"),
        ("turns_per_tool:5", "turns is not known by tool"),
        ("usd_per_run[*]:5", "leave out _per_"),
        ("new-findings:+1", "no sign"),
        ("actions:+1", "no sign"),
        ("actions_usd:+5%", "no sign"),
        ("actions_usd:5%", "10% of what?"),
        ("safe_actions[x]:0", "of all runs together"),
        ("actions[*]:0", "of all runs together"),
        ("actions_usd_per_run:1", "of all runs together"),
        ("safe-actions:0", "did you mean safe_actions"),
    ],
)
def test_limits_that_mean_nothing(word: str, said: str) -> None:
    with pytest.raises(CostscanError) as raised:
        limits([("costscan.toml:3", word)], RULES)
    assert raised.value.what.startswith(f"costscan.toml:3: {word}")
    assert said in f"{raised.value.what} {raised.value.hint}"
    assert raised.value.hint


@given(st.text(max_size=40))
def test_any_words_are_a_limit_or_an_error(text: str) -> None:
    try:
        (found,) = limits([("--fail-on", text)], RULES)
    except CostscanError:
        return
    assert found.metric in text
