"""All steps of one epoch of a pack, and what they gave each member."""

from collections.abc import Sequence

import torch
from torch import Tensor

from automl.errors import TrainingDiverged
from automl.models.tabular.config import CLIP_NORM
from automl.models.tabular.loss_config import LossConfig
from automl.training.clock import WorkClock
from automl.training.diagnostics import check_finite, describe_inputs
from automl.training.losses import compute_row_losses
from automl.training.network import CHECK_STEPS, Steps
from automl.training.packs.members import Member, draw_order
from automl.training.packs.program import Program
from automl.training.packs.rows import PackData


class EpochSteps:
    """One pass of every member over the training rows, each in its own order."""

    def __init__(self, program: Program, members: Sequence[Member], data: PackData) -> None:
        self.program, self.members, self.data = program, members, data
        n_rows = len(data.target)
        self.n_chunks = [member.count_chunks(n_rows) for member in members]
        order = torch.stack([draw_order(member, n_rows) for member in members]).to(data.device)
        size = members[0].request.batch_size
        self.chunks = torch.split(order, size, dim=1)[: max(self.n_chunks)]
        self._losses: list[Tensor] = []
        self._norms: list[Tensor] = []
        self._rates: list[list[float]] = []
        self._ratios: list[Tensor | None] = [None] * len(members)
        self._groups = _group([member.loss for member in members], data)
        program.seed([member.seed for member in members])

    def run(self, clock: WorkClock) -> list[Steps | TrainingDiverged]:
        """Train, or what the deadline leaves of it; per member what the steps gave."""
        is_cut = False
        for index in range(len(self.chunks)):
            if index and index % CHECK_STEPS == 0 and clock.is_over:
                is_cut = True
                break
            self.step(index)
        lengths = [rows.shape[1] for rows in self.chunks]
        losses, norms = (
            torch.stack(self._losses, dim=1).cpu(),
            torch.stack(self._norms, dim=1).cpu(),
        )
        return [
            self._sum_up(member, losses[member], norms[member], lengths, is_cut=is_cut)
            for member in range(len(self.members))
        ]

    def step(self, index: int) -> Tensor:
        """One step of all members on their chunks of that number; their losses before it, ``(members,)``."""
        rows = self.chunks[index]
        rates = [
            member.compute_rate(index, n_chunks)
            for member, n_chunks in zip(self.members, self.n_chunks, strict=True)
        ]
        losses, grad = self._compute_losses(self.program.forward(rows), rows)
        norms = self.program.backward(grad)
        is_last = [index + 1 == n_chunks for n_chunks in self.n_chunks]
        before = self.program.storage.value.clone() if any(is_last) else None
        self.program.update(rates, norms, [index >= n_chunks for n_chunks in self.n_chunks])
        if before is not None:
            self._measure(before, is_last)
        self._losses.append(losses)
        self._norms.append(norms)
        self._rates.append(rates)
        return losses

    def _compute_losses(self, output: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Mean loss of each member, and the gradient of their sum by the outputs."""
        leaf = output.requires_grad_()
        losses = torch.zeros(len(rows), device=output.device)
        with torch.enable_grad():
            for loss, chosen, weight in self._groups:
                own, picked = (leaf, rows) if chosen is None else (leaf[chosen], rows[chosen])
                target = self.data.target.index_select(0, picked.flatten())
                found = compute_row_losses(loss, own.flatten(0, 1), target).view(picked.shape)
                if weight is not None:
                    found = found * weight[picked]
                means = found.mean(dim=1)
                losses = means if chosen is None else losses.index_put((chosen,), means)
            (grad,) = torch.autograd.grad(losses.sum(), leaf)
        return losses.detach(), grad

    def _measure(self, before: Tensor, is_last: Sequence[bool]) -> None:
        """Size of the update against that of the weights, for members whose last step this was."""
        now = self.program.storage.value
        size = torch.linalg.vector_norm(now, dim=1).clamp_min(torch.finfo(torch.float32).tiny)
        ratios = torch.linalg.vector_norm(now - before, dim=1) / size
        for member, is_its_last in enumerate(is_last):
            if is_its_last:
                self._ratios[member] = ratios[member]

    def _sum_up(
        self, member: int, losses: Tensor, norms: Tensor, lengths: Sequence[int], *, is_cut: bool
    ) -> Steps | TrainingDiverged:
        n_done = min(len(losses), self.n_chunks[member])
        losses, norms = losses[:n_done], norms[:n_done]
        counts = torch.tensor(lengths[:n_done], dtype=losses.dtype)
        one = self.members[member]
        try:
            self._check(one, losses, norms)
        except TrainingDiverged as error:
            return error
        one.n_steps_done += n_done
        ratio = self._ratios[member]
        return Steps(
            loss=float((losses * counts).sum() / counts.sum()),
            clipped=float((norms > CLIP_NORM).float().mean()),
            gradient_norm=float(norms.median()),
            gradient_norm_max=float(norms.max()),
            update_ratio=None if ratio is None else float(ratio),
            learning_rate=self._rates[n_done - 1][member],
            is_cut=is_cut,
        )

    def _check(self, member: Member, losses: Tensor, norms: Tensor) -> None:
        if bool(torch.isfinite(losses).all() & torch.isfinite(norms).all()):
            return
        numeric = self.data.find_batch(member.request.config).numeric
        rate = f" (learning rate {member.plan.learning_rate:.3g})"
        check_finite(losses, norms, member.n_steps_done, rate + describe_inputs(numeric))


Group = tuple[LossConfig, Tensor | None, Tensor | None]


def _group(losses: Sequence[LossConfig], data: PackData) -> list[Group]:
    """Each loss with the places of its members (None: all) and the weights of its rows."""
    distinct = list(dict.fromkeys(losses))
    if len(distinct) == 1:
        return [(distinct[0], None, data.find_weights(distinct[0]))]
    return [
        (
            one,
            torch.tensor([place for place, loss in enumerate(losses) if loss == one]).to(
                data.device
            ),
            data.find_weights(one),
        )
        for one in distinct
    ]
