"""What a recipe means in numbers: batch size, resolution per epoch, precision."""

import torch

from automl.models.image.recipe_space import RecipeConfig

CPU_BATCH = 128
GPU_BATCH = 512
LEAST_BATCH = 16
STEPS_WANTED = 12  # per epoch, where the data allow it
SMALL_SHARE = 0.6  # of the epochs of a progressive run, at the smaller side
SMALL_SIDE = 0.75
LEAST_SIDE = 16  # pictures are not made smaller than this


def compute_batch_size(requested: int, n_rows: int, *, on_gpu: bool) -> int:
    """Pictures per step: at most what was requested, 128 on a CPU and 512 on a GPU.

    Below 12 steps an epoch the batch is halved, down to 16. It depends on the number of rows only.
    Small batches cost a CPU nothing with pictures (1,270 a second at 128, 1,050 at 256, measured in float32)
    and take more steps per pass.
    """
    size = min(requested, GPU_BATCH if on_gpu else CPU_BATCH)
    while size // 2 >= LEAST_BATCH and n_rows // size < STEPS_WANTED:
        size //= 2
    return size


def compute_side(recipe: RecipeConfig, epoch: int, side: int) -> int:
    """The side an epoch (from 1) trains at: three quarters in the first 60 % of a progressive run."""
    if not recipe.is_progressive or epoch > SMALL_SHARE * recipe.n_epochs:
        return side
    return max(min(side, LEAST_SIDE), round(side * SMALL_SIDE / 4) * 4)


def choose_precision(device: torch.device) -> torch.dtype:
    """bfloat16 for the passes of training on GPUs and on CPUs that multiply in it, else float32.

    Decided by what the processor says of itself (AVX512-BF16 or AMX), never by a stopwatch, so that equal machines
    give equal numbers. On one core with AVX512-BF16 every kind of block of the macro space trains 1.05 (group norm,
    attention) to 1.75 times as fast, measured; the default of ``cnn`` came to 82.1 % against 80.9 % in float32 (an
    error of ±0.9), in 56 s instead of 92. Weights, losses and predictions of finished models stay float32.
    """
    if device.type == "cuda":
        return torch.bfloat16
    has_bf16 = any(
        bool(getattr(torch.cpu, name, _no)())
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )
    return torch.bfloat16 if has_bf16 else torch.float32


def _no() -> bool:
    return False
