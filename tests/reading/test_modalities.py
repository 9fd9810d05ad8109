"""What logs tell of audio and images, as columns beside the token classes."""

import pytest

from costscan.reading.conversation.modalities import Share, share_of, with_modalities
from costscan.reading.conversation.usage import MAX_COUNT, Counters, nothing_known


def counted(fresh: int, read: int, output: int) -> Counters:
    return Counters(fresh, read, 0, 0, output, None, 0, contradictory=False)


@pytest.mark.parametrize(
    ("audio", "wanted", "is_least"),
    [
        (Share(300, 100, 20), (200, 100, 20), False),
        (Share(300, None, None), (100, 200, None), True),
        (Share(100, None, None), (0, 100, None), True),
        (Share(0, None, 0), (0, 0, 0), False),
        (Share(None, None, 20), (None, None, 20), False),
        (Share(), (None, None, None), False),
        # More than there were: nothing of it is believed.
        (Share(300, 201, None), (None, None, None), True),
        (Share(1_100, 100, None), (None, None, None), True),
        (Share(None, None, 51), (None, None, None), True),
        (Share(MAX_COUNT, 0, None), (None, None, None), True),
    ],
)
def test_audio_of_900_fresh_200_read_and_50_written(
    audio: Share, wanted: tuple[int | None, ...], is_least: bool
) -> None:
    told = with_modalities(counted(900, 200, 50), audio)
    assert (told.modalities[:3], told.contradictory) == (wanted, is_least)
    assert told.modalities[3:] == (None, None, None)


def test_nothing_cached_needs_no_details_of_the_cache() -> None:
    told = with_modalities(counted(900, 0, 50), Share(300))
    assert (told.modalities[:2], told.contradictory) == ((300, 0), False)


def test_images_that_do_not_fit_make_no_lower_bound() -> None:
    """They cost what text costs, whichever of them was cached."""
    for image in (Share(300), Share(2_000)):
        assert not with_modalities(counted(900, 200, 50), Share(), image).contradictory
    assert with_modalities(counted(900, 200, 50), Share(), Share(300)).modalities[3:5] == (100, 200)
    assert with_modalities(counted(900, 200, 50), Share(), Share(None, None, 51)).contradictory


def test_audio_and_images_together_are_no_more_than_the_class() -> None:
    assert with_modalities(counted(900, 0, 50), Share(500), Share(400)).modalities[::3] == (500, 400)
    assert with_modalities(counted(900, 0, 50), Share(500), Share(401)).contradictory


def test_unknown_counters_stay_unknown() -> None:
    assert with_modalities(nothing_known(), Share(300)) == nothing_known()


def test_details_of_the_cache_stand_in_those_of_the_input() -> None:
    sent = {"audio_tokens": 300, "cached_tokens": 200, "cached_tokens_details": {"audio_tokens": "100"}}
    assert share_of("audio", sent, {"audio_tokens": None}) == Share(300, 100, None)
    assert share_of("image", sent, {"image_tokens": 7}) == Share(None, None, 7)
    assert share_of("audio", {"audio_tokens": "many"}, {}) == Share(MAX_COUNT, None, None)
