"""What is written is there whole, and as it was."""

import pandas as pd
import polars as pl
import pytest

from truecopy.data.outputs import write_frames

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", 'say "=1"', "a,b\nc"]


@pytest.mark.parametrize("pieces", [1, 2])
def test_words_that_a_spreadsheet_would_compute_are_written_as_they_are(tmp_path, pieces):
    frame = pl.DataFrame({"word": FORMULAS, "number": range(7)})
    cuts = [frame] if pieces == 1 else [frame[:3], frame[3:]]

    rows = write_frames(tmp_path / "out.csv", iter(cuts))

    read = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert rows == 7
    assert read["word"].tolist() == FORMULAS
