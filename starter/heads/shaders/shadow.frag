// Depth only. Lashes cast no shadow: at this resolution they would darken the whole eye.
const int LASH = 4;
in vec3 reference; flat in int material;

void main() {
    if (material == LASH || (material == CLOTH && reference.y > neckline_y(reference))) discard;
}
