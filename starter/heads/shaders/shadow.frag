// Depth only. Lashes and lenses cast no shadow: at this resolution they would darken the whole eye.
const int LASH = 4, GLASSES = 7, HAIR = 5, HAT = 8;
in vec3 reference; flat in int material; flat in float layer;

void main() {
    vec3 c; float edge;
    if (material == LASH || (material == GLASSES && layer > 0.5)) discard;
    if (material == HAT && reference.x < 0.0) discard;
    if (material == CLOTH && !cut_of(reference, layer, vec3(0.0), vec3(0.0), c, edge)) discard;
}
