in vec3 in_position; in vec3 in_reference; in vec4 in_data; in float in_material;
uniform mat4 shadow_projection;
out vec3 reference; flat out int material; flat out float layer;

void main() {
    reference = in_reference;
    material = int(in_material + 0.01);
    layer = in_data.x;
    gl_Position = shadow_projection * vec4(in_position, 1.0);
}
