"""However often a run is paused, played on and stepped: its record is that of a run made in one go."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestration_kit.testing import FakeClock
from tests.branches.doors import check_record
from tests.branches.random_flows import DATA, answer, flows, hub_for
from tests.branches.test_determinism import by_hand, same
from tests.laws import examples

PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
MOVES = st.lists(
    st.one_of(
        st.just(("step", 0)),
        st.tuples(st.just("visits"), st.integers(1, 4)),
        st.tuples(st.just("pause"), st.integers(0, 6)),
        st.just(("run", 0)),
    ),
    max_size=8,
)


def move(run, how, number):
    """Go on a little, or to the end."""
    if how == "step":
        run.step()
    elif how == "visits":
        run.play(visits=number)
        run.wait(60)
    elif how == "pause":
        left = [number]

        def pauser(_event):
            left[0] -= 1
            if left[0] < 0:
                run.pause()

        run.audience.observers.append(pauser)
        run.play()
        run.wait(60)
        run.audience.observers.remove(pauser)
    else:
        run.run()


@given(flow=flows(), salt=st.integers(0, 10**6), moves=MOVES)
@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
def test_pauses_and_plays_leave_the_record_of_a_run_made_in_one_go(flow, salt, moves):
    run = hub_for(flow, salt, clock=FakeClock()).start("flow", "go", DATA, run_id="r", seed=1)
    for how, number in [*moves, *[("run", 0)] * 200]:
        if run.is_finished:
            break
        move(run, how, number)
        if run.state == "waiting":
            answer(run)
    assert run.is_finished
    check_record(run)
    same(by_hand(flow, salt), run)
