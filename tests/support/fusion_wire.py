"""The fusion service's messages about drawn faces that have five landmarks and no structure."""

import numpy as np
from likeness.common.v1 import face_pb2, image_pb2
from likeness.fusion.v1 import fusion_pb2 as pb

from shared.images import decode_image, encode_png
from tests.support.drawn_face import box_of, draw_face

MODEL = "dlib-resnet-v1"


def face_of(landmarks, embedding=(1, 0, 0), quality=0.9, model=MODEL):
    """The face of a drawn picture, of the person that the embedding stands for."""
    x0, y0, x1, y1 = box_of(landmarks)
    points = [image_pb2.Point(x=x, y=y) for x, y in landmarks]
    return face_pb2.Face(
        box=image_pb2.Box(x0=x0, y0=y0, x1=x1, y1=y1),
        landmarks=face_pb2.FaceLandmarks(
            left_eye=points[0],
            right_eye=points[1],
            nose=points[2],
            mouth_left=points[3],
            mouth_right=points[4],
        ),
        embedding=image_pb2.Embedding(values=embedding, model=model),
        quality=face_pb2.FaceQuality(overall=quality),
    )


def faced(name="", faces=1, **how):
    """A picture of `draw_face` with so many times its face."""
    rgb, landmarks = draw_face(**how)
    image = image_pb2.Image(data=encode_png(rgb), name=name)
    return pb.FacedImage(image=image, faces=[face_of(landmarks)] * faces)


def ranked_input(name, cosine, faces=1, **how):
    """A candidate whose best cosine with `REFERENCES` is *cosine*; *how* is drawn."""
    landmarks = draw_face(**how)[1]
    face = face_of(landmarks, (cosine, float(np.sqrt(1 - cosine**2)), 0))
    return pb.RankedInput(candidate_id=name, faces=[face] * faces)


# Not of unit length: the service may not count on it.
REFERENCES = [image_pb2.Embedding(values=v, model=MODEL) for v in ([0, 0, 1], [2, 0, 0])]


def pixels(image):
    """The picture of an answer, RGB (H, W, 3)."""
    return decode_image(image.data, name="answer")
