import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from automl.models.catalog import FAMILIES
from automl.models.tabular.network_model import compute_output
from automl.training.packs.pack import Pack
from automl.training.packs.records import PackRequest
from tests.unit.training.tables import TaskType, build_prepared, build_request, build_task

PREPARED, TASK = build_prepared(TaskType.MULTICLASS, n_rows=120), build_task(TaskType.MULTICLASS)
INPUTS = {
    "numeric_view": st.sampled_from(["quantile", "robust", "standard"]),
    "numeric_embedding.piecewise.bins": st.integers(2, 20),
    "numeric_embedding.piecewise.dim": st.integers(1, 12),
    "one_hot_limit": st.sampled_from([1, 4, 8, 40]),
    "categorical_dim": st.integers(1, 6),
    "width": st.sampled_from([8, 16, 24, 32]),
}
MLP = INPUTS | {
    "depth": st.integers(1, 4),
    "taper": st.sampled_from([1.0, 0.75, 0.5]),
    "norm": st.sampled_from(["none", "batch", "layer"]),
    "activation": st.sampled_from(["relu", "gelu", "silu", "mish", "selu"]),
}
RESNET = INPUTS | {
    "blocks": st.integers(1, 3),
    "hidden_factor": st.sampled_from([0.5, 1.0]),
    "norm": st.sampled_from(["batch", "layer"]),
    "activation": st.sampled_from(["relu", "gelu", "silu"]),
}
PLAIN = False
MEMBERS = st.one_of(
    st.tuples(
        st.just("mlp"), st.lists(st.fixed_dictionaries(MLP), min_size=1, max_size=5), st.booleans()
    ),
    st.tuples(
        st.just("resnet"),
        st.lists(st.fixed_dictionaries(RESNET), min_size=1, max_size=5),
        st.just(PLAIN),
    ),
)


@settings(max_examples=20, deadline=None)
@given(MEMBERS)
@example(("mlp", [{"depth": 1, "width": 8}, {"depth": 2, "width": 16, "taper": 0.5}], PLAIN))
def test_any_networks_of_a_bucket_answer_in_a_pack_as_alone(drawn):
    family, choices, is_residual = drawn
    kind = {"residual": is_residual} if family == "mlp" else {}
    requests = {
        number: build_request(family, FAMILIES[family].default | kind | choice, seed=number)
        for number, choice in enumerate(choices)
    }
    pack = Pack(PREPARED, TASK, PackRequest(members=requests))
    program = pack._build_program()
    members = [pack.members[number] for number in pack._order]
    outputs = program.predict([pack._find_sources(member)[1] for member in members])
    for member, output in zip(members, outputs, strict=True):
        batch = member.model.build_batch(pack.data.select)
        expected = compute_output(member.model.network, batch)
        assert torch.allclose(output, expected, atol=1e-5)
        learned = program.copy_weights(pack._order.index(member.number))
        state = member.model.network.state_dict()
        assert all(torch.equal(value, state[name]) for name, value in learned.items())
