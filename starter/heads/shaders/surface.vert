// Passes the vertex on in world space.
in vec3 in_position; in vec3 in_normal; in vec3 in_reference; in vec4 in_data; in float in_material;
uniform mat4 view_projection;
out vec3 position; out vec3 normal; out vec3 reference; out vec4 data; flat out int material;

void main() {
    position = in_position; normal = in_normal; reference = in_reference; data = in_data;
    material = int(in_material + 0.01);
    gl_Position = view_projection * vec4(in_position, 1.0);
}
