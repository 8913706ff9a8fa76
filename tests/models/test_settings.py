import pytest

from truecopy.models.settings import choose_batch_size


@pytest.mark.parametrize(
    ("rows", "batch_size"),
    [
        (1, 16),
        (392, 16),
        (1023, 16),
        (1024, 32),
        (2047, 32),
        (2048, 64),
        (4096, 128),
        (60_000, 128),
    ],
)
def test_few_rows_come_in_smaller_batches_so_that_an_epoch_has_32_steps(rows, batch_size):
    assert choose_batch_size(rows) == batch_size
