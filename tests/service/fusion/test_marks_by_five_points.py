"""RestoreMarks where nobody has searched for marks: five landmarks of each face are all that is known."""

from likeness.fusion.v1 import fusion_pb2 as pb

from tests.support.fusion_wire import faced, pixels

MOLE = (28.0, 10.0, 2.4)


async def test_mole_of_the_references_comes_back_and_its_place_is_told(stub):
    references = [faced(moles=[MOLE], angle_deg=a, noise_seed=a) for a in (0, 5, 10)]
    request = pb.RestoreMarksRequest(candidate=faced(angle_deg=-6), references=references)

    answer = await stub.RestoreMarks(request)

    (mark,) = answer.marks
    before, after = pixels(request.candidate.image), pixels(answer.image)
    x, y = round(mark.center.x), round(mark.center.y)
    assert after[y, x].mean() < 0.85 * before[y, x].mean()
    assert 0 < mark.confidence <= 1 and mark.radius_px > 0


async def test_no_marks_is_an_empty_list_and_an_equal_picture(stub):
    request = pb.RestoreMarksRequest(candidate=faced(), references=[faced(noise_seed=s) for s in (1, 2)])

    answer = await stub.RestoreMarks(request)

    assert list(answer.marks) == []
    assert (pixels(request.candidate.image) == pixels(answer.image)).all()
