from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mbc.simulate.streams import Stream


def test_the_stream_is_the_raw_output_of_pcg64_so_that_no_numpy_release_can_change_the_sample():
    # 3844597223 is zlib.crc32(b"pinned")
    raw = np.random.PCG64(np.random.SeedSequence([1, 3844597223])).random_raw(3)
    assert Stream(1, "pinned").uniform(3).tolist() == [((int(word) >> 11) + 0.5) * 2.0**-53 for word in raw]


def test_raw_words_are_those_recorded_when_the_sample_was_first_written():
    # numpy 2.4.6 on Linux x86-64: if these move, so does every file of the sample
    words = np.random.PCG64(np.random.SeedSequence([1, 3844597223])).random_raw(2)
    assert [int(word) for word in words] == [788730140740402933, 8868918595016680460]


@pytest.mark.parametrize(("draw", "distribution"), [("uniform", "uniform"), ("normal", "norm")])
def test_numbers_follow_their_distribution(draw, distribution):
    numbers = getattr(Stream(3, draw), draw)(20_000)
    assert stats.kstest(numbers, distribution).pvalue > 0.001


def test_another_name_or_seed_is_another_stream():
    first = Stream(1, "a").uniform(100)
    assert not np.array_equal(first, Stream(1, "b").uniform(100))
    assert not np.array_equal(first, Stream(2, "a").uniform(100))
    assert np.array_equal(first, Stream(1, "a").uniform(100))


def test_choices_come_as_often_as_they_weigh_and_stay_in_range():
    chosen = Stream(4, "choice").choice([1, 0, 3], 20_000)
    assert set(np.unique(chosen)) == {0, 2}
    assert (chosen == 2).mean() == pytest.approx(0.75, abs=0.01)


def test_whole_numbers_reach_both_ends_but_not_beyond():
    assert set(Stream(4, "integers").integers(2, 5, 1000).tolist()) == {2, 3, 4}
