"""Fitting, scoring and evaluating take no more memory for more rows.

`benchmarks/larger_than_memory.py` measures folders of Parquet of any size.
"""

import subprocess
import sys

import numpy as np
import pytest

WIDTH = 1024
# A process may hold pieces of 16 MB, up to 128 MB of mapped pages,
# and 8 bytes a row here and there.
MOST_GROWTH = 192 << 20
WORK = """
import resource, sys
import truecopy

data = sys.argv[1]
model = truecopy.Autoencoder(latent=2, model="dense", epochs=1, batch_size=4096, quiet=True)
model.fit(data)
model.score_samples(data)
truecopy.evaluate(model, data)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory is counted otherwise")
def test_thirteen_times_as_many_rows_take_hardly_more_memory(tmp_path):
    peaks = []
    for megabytes in (20, 260):
        path = tmp_path / f"{megabytes}.npy"
        rows = np.lib.format.open_memmap(path, "w+", np.uint8, (megabytes << 10, WIDTH))
        for first in range(0, len(rows), 10_240):
            part = np.random.default_rng(first).integers(0, 256, (10_240, WIDTH), np.uint8)
            rows[first : first + 10_240] = part
        del rows
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", WORK, path],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(ran.stdout.split()[-1]))

    assert peaks[1] - peaks[0] < MOST_GROWTH
