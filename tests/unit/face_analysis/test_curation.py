import numpy as np
import pytest

from services.face_analysis.domain.curation import best_template, curate, vote
from services.face_analysis.domain.photos import AnalyzedPhoto
from services.face_analysis.domain.rules import CurationRules
from shared.images import ImageTruncated
from tests.unit.face_analysis.builders import INFO, face, guess, photo

RULES = CurationRules()


def curated(*photos, rules=RULES):
    return curate(photos, INFO, rules)


def reasons(verdict) -> list[str]:
    return [remark.reason for remark in verdict.refusals]


class TestOnePhoto:
    def test_good_photo_is_accepted(self):
        report = curated(photo("a", face()))

        [verdict] = report.verdicts
        assert verdict.is_accepted and verdict.warnings == []
        assert report.template_index == 0
        assert verdict.similarity_to_set == pytest.approx(1)

    def test_photo_without_a_face_names_the_smallest_findable_face(self):
        [verdict] = curated(photo("a")).verdicts

        assert reasons(verdict) == ["NO_FACE_FOUND"]
        assert verdict.refusals[0].metadata == {"image": "a", "min_face_px": "40"}
        assert verdict.face is None

    def test_broken_photo_keeps_its_own_reason_and_does_not_stop_the_others(self):
        report = curated(AnalyzedPhoto("bad", "", ImageTruncated(image="bad")), photo("good", face()))

        assert reasons(report.verdicts[0]) == ["IMAGE_TRUNCATED"]
        assert report.verdicts[1].is_accepted
        assert report.template_index == 1

    @pytest.mark.parametrize(
        ("quality", "reason"),
        [
            ({"side": 63.0}, "FACE_TOO_SMALL"),
            ({"sharpness": 0.12}, "FACE_TOO_BLURRED"),
            ({"exposure": 0.49}, "FACE_BADLY_EXPOSED"),
            ({"yaw_deg": -40.5}, "FACE_TURNED_AWAY"),
            ({"pitch_deg": 50.5}, "FACE_TURNED_AWAY"),
            ({"landmark_confidence": 0.29}, "FACE_LOW_CONFIDENCE"),
        ],
    )
    def test_each_measure_beyond_its_threshold_refuses(self, quality, reason):
        [verdict] = curated(photo("a", face(**quality))).verdicts

        assert reasons(verdict) == [reason]
        assert "a" in verdict.refusals[0].message and verdict.refusals[0].metadata["image"] == "a"

    @pytest.mark.parametrize(
        "quality",
        [
            {"side": 64.0},
            {"sharpness": 0.13},
            {"exposure": 0.5},
            {"yaw_deg": 40.0},
            {"pitch_deg": -50.0},
            {"roll_deg": 90.0},
            {"landmark_confidence": 0.3},
        ],
    )
    def test_each_measure_at_its_threshold_passes(self, quality):
        [verdict] = curated(photo("a", face(**quality))).verdicts

        assert verdict.is_accepted

    def test_all_reasons_are_given_at_once(self):
        [verdict] = curated(photo("a", face(side=30.0, sharpness=0.01))).verdicts

        assert reasons(verdict) == ["FACE_TOO_SMALL", "FACE_TOO_BLURRED"]

    @pytest.mark.parametrize(("luminance", "word"), [(0.05, "too dark"), (0.97, "too bright")])
    def test_exposure_says_which_way(self, luminance, word):
        [verdict] = curated(photo("a", face(exposure=0.1, mean_luminance=luminance))).verdicts

        assert word in verdict.refusals[0].message

    def test_rotation_is_reported(self):
        [verdict] = curated(photo("a", face(), rotation_deg=90)).verdicts

        assert verdict.rotation_deg == 90 and verdict.is_accepted


class TestSeveralFaces:
    def test_second_face_of_more_than_a_quarter_of_the_area_refuses(self):
        [verdict] = curated(photo("a", face(side=100.0), face(1, side=51.0))).verdicts

        assert reasons(verdict) == ["SEVERAL_FACES"]
        assert verdict.refusals[0].metadata["count"] == "2"
        assert verdict.face is not None, "the face that counts is still shown"

    def test_bystander_of_a_quarter_of_the_area_is_ignored(self):
        [verdict] = curated(photo("a", face(side=100.0), face(1, side=50.0))).verdicts

        assert verdict.is_accepted

    def test_ratio_is_a_rule_that_can_be_set(self):
        two = photo("a", face(side=100.0), face(1, side=60.0))

        [verdict] = curated(two, rules=CurationRules(min_area_ratio=2.0)).verdicts

        assert verdict.is_accepted


class TestDifferentPersons:
    def test_stranger_is_refused_and_the_reference_photos_are_named(self):
        report = curated(photo("a", face(0, 0)), photo("b", face(1)), photo("c", face(0, 1)))

        assert [v.is_accepted for v in report.verdicts] == [True, False, True]
        [remark] = report.verdicts[1].refusals
        assert remark.reason == "DIFFERENT_PERSON"
        assert remark.metadata["reference"] == "a, c"
        assert float(remark.metadata["similarity"]) < INFO.metric.same_set_similarity
        assert "a, c" in remark.message

    def test_tie_refuses_both_sides_and_each_names_the_other(self):
        report = curated(photo("a", face(0)), photo("b", face(1)))

        assert [reasons(v) for v in report.verdicts] == [["DIFFERENT_PERSON"]] * 2
        assert report.verdicts[0].refusals[0].metadata["reference"] == "b"
        assert report.verdicts[1].refusals[0].metadata["reference"] == "a"
        assert "majority" in report.verdicts[0].refusals[0].message
        assert report.mean_embedding is None and report.template_index == -1

    def test_photos_refused_for_their_quality_have_no_vote_on_who_it_is(self):
        blurred = [photo(f"blurred{i}", face(1, i, sharpness=0.01)) for i in range(3)]

        report = curated(*blurred, photo("sharp", face(0)))

        assert report.verdicts[3].is_accepted
        assert all(reasons(v) == ["FACE_TOO_BLURRED"] for v in report.verdicts[:3])


class TestDuplicates:
    def test_same_file_is_a_warning_that_names_the_first(self):
        report = curated(photo("a", face(0, 0), file="x"), photo("b", face(0, 0), file="x"))

        assert [v.is_accepted for v in report.verdicts] == [True, True]
        [warning] = report.verdicts[1].warnings
        assert warning.reason == "DUPLICATE_PHOTO"
        assert warning.metadata == {"image": "b", "duplicate_of": "a"}
        assert report.verdicts[0].warnings == []

    def test_the_same_picture_saved_twice_is_noticed_by_its_face(self):
        report = curated(photo("a", face(0, 0)), photo("b", face(0, 0)), photo("c", face(0, 1)))

        assert [len(v.warnings) for v in report.verdicts] == [0, 1, 0]

    def test_files_that_could_not_be_read_are_not_duplicates_of_each_other(self):
        broken = [AnalyzedPhoto(name, "", ImageTruncated(image=name)) for name in "ab"]

        assert all(v.warnings == [] for v in curated(*broken).verdicts)


class TestSummary:
    def test_vote_averages_probabilities_so_that_a_sure_photo_outweighs_two_unsure_ones(self):
        faces = [
            face(attributes={"sex": guess(female=0.55, male=0.45)}),
            face(attributes={"sex": guess(female=0.55, male=0.45)}),
            face(attributes={"sex": guess(female=0.05, male=0.95)}),
        ]

        result = vote(faces)["sex"]

        assert result.value == "male"
        assert result.confidence == pytest.approx((0.45 + 0.45 + 0.95) / 3)

    def test_only_accepted_photos_vote(self):
        report = curated(
            photo("a", face(0, 0, attributes={"sex": guess(female=0.9, male=0.1)})),
            photo("b", face(0, 1, attributes={"sex": guess(female=0.0, male=1.0)}, sharpness=0.0)),
        )

        assert report.attributes["sex"].value == "female"

    def test_mean_is_of_the_accepted_faces_and_measures_all(self):
        report = curated(photo("a", face(0, 0)), photo("b", face(0, 1)), photo("c", face(1)), photo("none"))

        assert np.linalg.norm(report.mean_embedding) == pytest.approx(1, abs=1e-6)
        similarities = [v.similarity_to_set for v in report.verdicts]
        assert min(similarities[:2]) > 0.9 > 0.5 > similarities[2]
        assert similarities[3] == 0

    def test_template_is_sharp_and_frontal(self):
        report = curated(
            photo("turned", face(0, 0, yaw_deg=35.0)),
            photo("good", face(0, 1)),
            photo("soft", face(0, 2, overall=0.5)),
        )

        assert report.template_index == 1
        assert best_template(report.verdicts[:1]) == 0

    def test_nothing_accepted_is_a_report_not_an_error(self):
        report = curated(photo("a"))

        assert (report.mean_embedding, report.attributes, report.template_index) == (None, {}, -1)

    def test_empty_set_is_an_empty_report(self):
        assert curated().verdicts == ()
