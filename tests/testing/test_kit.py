"""The kit itself: it sees each fault, and says what it checks."""

import pytest

import faulty_plugins as faulty
from simulacra.core.errors import PluginError, UsageError
from simulacra.core.registry import Kind, load
from simulacra.testing import NotConformant, checks_for, conformance_tests
from simulacra.testing.tables import orders, spec_of

ORDERS = orders()
RULE = {
    "options": {"column": "shipped", "minus": "ordered", "order": ">"},
    "table": ORDERS,
    "spec": spec_of(ORDERS),
}

FAULTS = [
    (Kind.MODEL, faulty.UsesGlobalRandomness, "touches_no_global_randomness"),
    (Kind.MODEL, faulty.SeedsGlobally, "touches_no_global_randomness"),
    (Kind.MODEL, faulty.IgnoresTheKey, "gives_other_rows_for_another_key"),
    (Kind.MODEL, faulty.DrawsTooFewRows, "returns_the_rows_asked_for"),
    (Kind.MODEL, faulty.ReordersFeatures, "returns_the_rows_asked_for"),
    (Kind.MODEL, faulty.RemembersEarlierBlocks, "gives_the_same_rows_for_the_same_key"),
    (Kind.MODEL, faulty.DependsOnThreads, "gives_the_same_rows_on_any_number_of_threads"),
    (Kind.MODEL, faulty.ForgetsWhenSaved, "gives_the_same_rows_when_loaded_afresh"),
    (Kind.MODEL, faulty.Pickles, "saves_plain_data"),
    (Kind.MODEL, faulty.SavesAStamp, "saves_the_same_bytes_for_the_same_key"),
    (Kind.MODEL, faulty.ChangesItsInput, "leaves_its_inputs_alone"),
    (Kind.MODEL, faulty.GoesOnAfterCtrlC, "stops_when_told"),
    (Kind.MODEL, faulty.LeavesAThread, "stops_when_told"),
    (Kind.MODEL, faulty.KeepsEveryBlock, "draws_in_bounded_memory"),
    (Kind.MODEL, faulty.CutsCodesOff, "keeps_marginals"),
    (Kind.MODEL, faulty.CutsCodesOff, "takes_seventy_thousand_codes"),
    (Kind.MODEL, faulty.DrawsConstantsAnew, "keeps_constants_constant"),
    (Kind.MODEL, faulty.IgnoresFixed, "keeps_fixed_features"),
    (Kind.MODEL, faulty.TakesFixedUnpromised, "refuses_fixed_features"),
    (Kind.MODEL, faulty.TakesContextUnpromised, "refuses_context"),
    (Kind.MODEL, faulty.IgnoresTemperature, "draws_as_boldly_as_told"),
    (Kind.DATATYPE, faulty.IsTooSure, "claims_with_a_confidence"),
    (Kind.DATATYPE, faulty.DetectsUnknownOptions, "claims_with_a_confidence"),
    (Kind.DATATYPE, faulty.ClaimsNothing, "claims_a_column"),
    (Kind.DATATYPE, faulty.AcceptsLessThanItClaims, "accepts_what_it_claims"),
    (Kind.DATATYPE, faulty.LosesNulls, "decodes_to_its_type"),
    (Kind.DATATYPE, faulty.ChangesTheType, "decodes_to_its_type"),
    (Kind.DATATYPE, faulty.ChangesTheType, "decodes_any_codes"),
    (Kind.DATATYPE, faulty.EncodesByBatch, "encodes_alike_however_rows_are_split"),
    (Kind.DATATYPE, faulty.EncodesBeyondCardinality, "encodes_within_its_features"),
    (Kind.DATATYPE, faulty.EncodesBeyondCardinality, "encodes_unseen_values"),
    (Kind.DATATYPE, faulty.CountsHalf, "counts_every_row"),
    (Kind.DATATYPE, faulty.DecodesByGlobalRandomness, "decodes_alike_for_the_same_key"),
    (Kind.DATATYPE, faulty.DecodesByGlobalRandomness, "learns_alike_for_the_same_key"),
    (Kind.DATATYPE, faulty.DecodesByGlobalRandomness, "decodes_alike_when_loaded_afresh"),
    (Kind.DATATYPE, faulty.ListsNumbers, "lists_kept_values_as_text"),
    (Kind.DATATYPE, faulty.MasksByPlace, "masks_each_value_by_itself"),
    (Kind.DATATYPE, faulty.MasksWithoutSecret, "masks_each_value_by_itself"),
    (Kind.DATATYPE, faulty.RepeatsWhatTellsApart, "gives_each_row_its_own_value_as_it_says"),
    (Kind.DATATYPE, faulty.NeedsWhatItFollows, "follows_the_columns_of_its_row"),
    (Kind.DATATYPE, faulty.FollowsIntoNull, "follows_the_columns_of_its_row"),
    (Kind.DATATYPE, faulty.FollowsOtherRows, "follows_the_columns_of_its_row"),
    (Kind.DATATYPE, faulty.CountsBelowNothing, "counts_what_it_replaced"),
    (Kind.DATATYPE, faulty.ForgetsWhatItReplaced, "counts_what_it_replaced"),
    (Kind.RULE, faulty.DoesNothing, "cannot_be_broken_by_what_is_drawn"),
    (Kind.RULE, faulty.DoesNotUndo, "gives_real_rows_back"),
    (Kind.RULE, faulty.AccusesEverybody, "finds_no_violation_in_rows_that_keep_it"),
    (Kind.CONNECTOR, faulty.LeavesPartialFiles, "leaves_nothing_of_a_failed_write"),
    (Kind.CONNECTOR, faulty.LeavesPartialFiles, "keeps_what_was_there_when_a_write_fails"),
    (Kind.CONNECTOR, faulty.ReadsOnce, "reads_again_and_again"),
    (Kind.CONNECTOR, faulty.IgnoresBatchRows, "keeps_to_the_batch_size"),
    (Kind.CONNECTOR, faulty.IgnoresColumns, "reads_the_columns_wanted"),
    (Kind.CONNECTOR, faulty.RoundsNumbers, "gives_back_what_was_written"),
    (Kind.CONNECTOR, faulty.RoundsNumbers, "keeps_columns_of_every_type"),
    (Kind.METRIC, faulty.GivesNan, "scores_are_sound"),
    (Kind.METRIC, faulty.GivesNoReason, "scores_are_sound"),
    (Kind.METRIC, faulty.NeverIdeal, "finds_the_same_distribution_ideal"),
    (Kind.METRIC, faulty.MeasuresByChance, "gives_the_same_scores_again"),
    (Kind.METRIC, faulty.SpeaksOfColumns, "scores_columns_as_its_scope_says"),
    (Kind.ENGINE, faulty.Reverses, "keeps_the_order_of_tasks"),
    (Kind.ENGINE, faulty.Swallows, "passes_exceptions_on"),
    (Kind.ENGINE, faulty.Hurries, "works_a_bounded_number_ahead"),
]


def _checks(kind, plugin):
    case = RULE if kind is Kind.RULE else {}
    return {check.name: check for check in checks_for(kind, plugin, **case)}


@pytest.mark.parametrize(
    ("kind", "plugin", "name"), FAULTS, ids=[f"{p.__name__}-{n}" for _, p, n in FAULTS]
)
def test_a_fault_is_seen_by_the_check_named_for_it(kind, plugin, name, tmp_path):
    with pytest.raises(NotConformant):
        _checks(kind, plugin())[name].run(tmp_path)


def test_each_check_has_a_name_of_its_own():
    for kind, name in [
        (Kind.MODEL, "copula"),
        (Kind.DATATYPE, "category"),
        (Kind.RULE, "difference"),
    ]:
        case = RULE if kind is Kind.RULE else {}
        found = [check.name for check in checks_for(kind, name, **case)]
        assert len(found) == len(set(found)) > 5


def test_checks_follow_the_traits():
    keeps, refuses = "keeps_fixed_features", "refuses_fixed_features"
    promised = _checks(Kind.MODEL, load(Kind.MODEL, "independent"))
    unpromised = _checks(Kind.MODEL, faulty.TakesFixedUnpromised())
    assert keeps in promised
    assert refuses not in promised
    assert refuses in unpromised
    assert keeps not in unpromised


def _parameters(test):
    (mark,) = test.pytestmark
    return {parameter.id: parameter for parameter in mark.args[1]}


def test_a_gap_is_a_strict_expected_failure_with_its_reason():
    gaps = {"keeps_marginals": "it is noisy"}
    found = _parameters(conformance_tests("models", "independent", gaps=gaps))
    (mark,) = found["keeps_marginals"].marks
    assert mark.name == "xfail"
    assert mark.kwargs == {"strict": True, "reason": "it is noisy"}
    assert not any(p.marks for name, p in found.items() if name != "keeps_marginals")


def test_a_gap_in_no_check_is_refused():
    with pytest.raises(UsageError, match="there is no check 'keeps_everything'"):
        conformance_tests("models", "independent", gaps={"keeps_everything": "?"})


def test_a_plugin_that_cannot_be_loaded_fails_when_run(tmp_path):
    found = _parameters(conformance_tests("models", "no_such_model"))
    assert list(found) == ["can_be_checked"]
    with pytest.raises(PluginError, match="no_such_model"):
        found["can_be_checked"].values[0].run(tmp_path)
    with pytest.raises(PluginError, match="no_such_model"):
        checks_for("models", "no_such_model")


def test_a_rule_without_rows_is_told_what_it_needs():
    with pytest.raises(UsageError, match="options=, table= and spec="):
        checks_for("rules", "difference")
