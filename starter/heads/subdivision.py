"""One Catmull-Clark step as a sparse matrix, so that every new head costs one matrix product.

Source: Catmull and Clark, "Recursively generated B-spline surfaces on arbitrary topological meshes", 1978.
Border edges and vertices keep their place (the mesh ends at the chest, where nothing is seen).
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from starter.heads.arrays import Floats, Ints


@dataclass(frozen=True)
class Subdivision:
    """`matrix` maps coarse vertices (n, 3) to fine ones (m, 3); `quads` (4 f, 4) index the fine vertices.

    Fine vertices are ordered: old vertices, one per edge, one per face. Fine quads are ordered by the corner
    (0..3) of the coarse quad that they cover, so quad k * f + i covers corner k of face i.
    """

    matrix: sparse.csr_matrix
    quads: Ints

    def __call__(self, vertices: Floats) -> Floats:
        """Smooth positions, or any other quantity given per coarse vertex."""
        return np.asarray(self.matrix @ vertices)


def catmull_clark(quads: Ints, vertex_count: int) -> Subdivision:
    """Build the step for a quad mesh with `vertex_count` vertices, all of them used."""
    faces = len(quads)
    corner_pairs = np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2)
    edges, edge_of_corner = np.unique(np.sort(corner_pairs, axis=1), axis=0, return_inverse=True)
    edge_of_corner = edge_of_corner.reshape(-1, 4)
    border_edge = np.bincount(edge_of_corner.ravel(), minlength=len(edges)) == 1
    border_vertex = np.zeros(vertex_count, dtype=bool)
    border_vertex[edges[border_edge].ravel()] = True

    face_ids = np.repeat(np.arange(faces), 4)
    face_points = _incidence(face_ids, quads.ravel(), (faces, vertex_count), 0.25)
    edge_ids = np.repeat(np.arange(len(edges)), 2)
    edge_midpoints = _incidence(edge_ids, edges.ravel(), (len(edges), vertex_count), 0.5)
    faces_of_edge = _incidence(edge_of_corner.ravel(), face_ids, (len(edges), faces))
    edge_points = _rows(np.where(border_edge, 1.0, 0.5)) @ edge_midpoints + _rows(
        np.where(border_edge, 0.0, 0.25)
    ) @ (faces_of_edge @ face_points)

    faces_of_vertex = _incidence(quads.ravel(), face_ids, (vertex_count, faces))
    edges_of_vertex = _incidence(edges.ravel(), edge_ids, (vertex_count, len(edges)))
    face_valence = np.maximum(np.asarray(faces_of_vertex.sum(axis=1)).ravel(), 1)
    valence = np.maximum(np.asarray(edges_of_vertex.sum(axis=1)).ravel(), 1)
    inner = ~border_vertex
    vertex_points = (
        _rows(inner / face_valence / valence) @ (faces_of_vertex @ face_points)
        + _rows(inner * 2 / valence**2) @ (edges_of_vertex @ edge_midpoints)
        + _rows(np.where(inner, (valence - 3) / valence, 1.0))
    )
    matrix = sparse.vstack([vertex_points, edge_points, face_points]).tocsr()
    return Subdivision(
        matrix.astype(np.float32), _fine_quads(quads, edge_of_corner, vertex_count, len(edges))
    )


def _fine_quads(quads: Ints, edge_of_corner: Ints, vertices: int, edges: int) -> Ints:
    centre = vertices + edges + np.arange(len(quads))
    corners = [
        np.stack(
            [
                quads[:, k],
                vertices + edge_of_corner[:, k],
                centre,
                vertices + edge_of_corner[:, (k - 1) % 4],
            ],
            axis=1,
        )
        for k in range(4)
    ]
    return np.concatenate(corners)


def _incidence(rows: Ints, columns: Ints, shape: tuple[int, int], value: float = 1.0) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.full(len(rows), value), (rows, columns)), shape)


def _rows(scale: Floats) -> sparse.dia_matrix:
    """A diagonal matrix: multiplying by it from the left scales rows."""
    return sparse.diags(scale)
