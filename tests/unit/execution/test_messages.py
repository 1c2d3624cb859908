from hypothesis import given
from hypothesis import strategies as st

from automl.execution import messages as m

FINITE = st.floats(allow_nan=False, allow_infinity=False)
NUMBER = st.integers(0, 10**6)
TEXT = st.text(max_size=30)
EPOCHS = st.builds(
    m.Epoch,
    number=NUMBER,
    train_loss=FINITE,
    select_loss=st.none() | FINITE,
    score=st.none() | FINITE,
    learning_rate=FINITE,
    seconds=FINITE,
    is_best=st.booleans(),
    clipped=FINITE,
)
CONFIGS = st.dictionaries(
    TEXT, st.integers(-(2**50), 2**50) | FINITE | TEXT | st.booleans(), max_size=5
)
TRAINS = st.builds(
    m.Train,
    trial=NUMBER,
    attempt=NUMBER,
    family=TEXT,
    config=CONFIGS,
    seed=NUMBER,
    batch_size=NUMBER,
    max_epochs=NUMBER,
    out=TEXT,
    rungs=st.lists(NUMBER, max_size=3).map(tuple),
    is_refit=st.booleans(),
    deadline_seconds=st.none() | FINITE,
    screen=st.booleans(),
)
COMMANDS = st.one_of(
    st.builds(m.Prepare, folder=TEXT, task_json=TEXT, threads=NUMBER),
    TRAINS,
    st.builds(m.Measure, batch_size=NUMBER),
    st.builds(m.TrainPack, members=st.lists(TRAINS, max_size=3).map(tuple)),
    st.builds(m.Answer, trial=NUMBER, verb=st.sampled_from(m.Verb), max_epochs=st.none() | NUMBER),
    st.just(m.Exit()),
)
REPORTS = st.one_of(
    st.builds(m.Ready, device=TEXT, warning=TEXT),
    st.builds(
        m.Screened,
        trial=NUMBER,
        screen=st.builds(
            m.Screen,
            parameters=NUMBER,
            macs=NUMBER,
            latency_ms=FINITE,
            proxy=FINITE,
            picture_seconds=FINITE,
        ),
    ),
    st.builds(m.TrialDiscarded, trial=NUMBER),
    st.builds(m.Measured, gains=st.dictionaries(TEXT, FINITE), seconds=FINITE, problem=TEXT),
    st.builds(m.PackPaused, trials=st.lists(NUMBER, max_size=3).map(tuple)),
    st.builds(
        m.PackShed,
        trials=st.lists(NUMBER, max_size=3).map(tuple),
        most=NUMBER,
        kind=st.sampled_from(m.FailureKind),
        reason=TEXT,
    ),
    st.builds(m.EpochDone, trial=NUMBER, epoch=EPOCHS, awaits=st.booleans()),
    st.builds(
        m.TrialFailed,
        trial=st.integers(-1, 10),
        kind=st.sampled_from(m.FailureKind),
        message=TEXT,
        hint=TEXT,
    ),
)


@given(COMMANDS)
def test_commands_survive_the_pipe(command):
    again = m.decode_command(m.encode_command(command))
    assert again == command
    if isinstance(command, m.Train):
        assert {k: type(v) for k, v in again.config.items()} == {
            k: type(v) for k, v in command.config.items()
        }


@given(REPORTS)
def test_reports_survive_the_pipe(report):
    assert m.decode_report(m.encode_report(report)) == report
