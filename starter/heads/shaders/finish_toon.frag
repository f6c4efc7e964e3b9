// Flat background, and dark lines where the part changes or the depth jumps.
in vec2 uv; out vec4 out_color;
uniform sampler2D color_map; uniform sampler2D truth_map;
uniform float pixel, line_px; uniform vec3 background_top;

// The curve of finish_render.frag, so that both looks stand before the same background.
vec3 tone_curve(vec3 x) { return clamp(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0); }

const float HAIR = 11.0, BEARD = 12.0;

float gap(vec4 a, vec4 b) {
    if ((a.x < 0.5) != (b.x < 0.5)) return 1.0;
    if (a.x < 0.5) return 0.0;
    float lo = min(a.x, b.x), hi = max(a.x, b.x), jump = abs(a.y - b.y);
    bool same_skin = hi < 5.5 && (lo == 1.0 || lo == 4.0 || lo == 5.0) && (hi == 4.0 || hi == 5.0);
    bool is_hairy = a.x == HAIR && b.x == HAIR || a.x == BEARD && b.x == BEARD;
    if (is_hairy) return smoothstep(0.10, 0.22, jump) * 0.55;
    if (a.x == b.x || same_skin) return smoothstep(0.07, 0.13, jump);
    if (hi <= 3.0) return lo == 1.0 && hi == 2.0 ? 0.45 : 0.0;       // lips softly, painted brows not
    if (lo == 6.0 && hi == 7.0) return 0.0;                          // the iris has its own ring
    if (hi == 10.0 || lo >= 7.0 && hi <= 9.0) return 0.0;            // lashes are lines themselves; teeth, mouth
    return 1.0;
}

// The line between closed lips: a valley in depth, not a jump.
float crease(vec4 a, vec4 here, vec4 b) {
    bool mouth = a.x == 2.0 && b.x == 2.0 && (here.x == 2.0 || here.x == 9.0);
    return mouth ? smoothstep(0.006, 0.014, here.y - 0.5 * (a.y + b.y)) * 0.8 : 0.0;
}

void main() {
    vec4 here = texture(truth_map, uv);
    vec3 c = here.x > 0.5 ? texture(color_map, uv).rgb : pow(tone_curve(background_top * 0.78), vec3(1.0 / 2.2));
    float line = 0.0;
    for (int i = 0; i < 8; i++) {
        vec2 d = vec2(cos(float(i) * 0.7854), sin(float(i) * 0.7854)) * pixel * line_px * 0.5;
        vec4 a = texture(truth_map, uv + d), b = texture(truth_map, uv - d);
        line = max(line, max(gap(a, b), crease(a, here, b)));
    }
    vec3 ink = c * 0.16 + vec3(0.01, 0.005, 0.015);
    out_color = vec4(mix(c, ink, line), 1.0);
}
