// Background, ambient occlusion from depth, filmic tone curve (Narkowicz' fit of ACES, 2015), gamma.
in vec2 uv; out vec4 out_color;
uniform sampler2D color_map; uniform sampler2D truth_map;
uniform float focal; uniform vec3 background_top, background_bottom;

float hash(vec2 p) { return fract(sin(dot(p, vec2(12.98, 78.23))) * 43758.5); }

vec3 tone_curve(vec3 x) { return clamp(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0); }

float occlusion(float depth) {
    float turn = hash(uv * 713.0) * 6.283, hidden = 0.0;
    for (int i = 0; i < 14; i++) {
        float radius = sqrt((float(i) + 0.5) / 14.0) * 0.30, angle = turn + float(i) * 2.399;
        vec4 near = texture(truth_map, uv + vec2(cos(angle), sin(angle)) * radius * focal * 0.5 / depth);
        float step = depth - (near.x > 0.5 ? near.y : depth + 9.0);
        hidden += smoothstep(0.015 + 0.12 * radius, 0.12, step) * smoothstep(0.75, 0.25, step);
    }
    return 1.0 - 0.85 * hidden / 14.0;
}

void main() {
    vec4 truth = texture(truth_map, uv);
    vec3 c = mix(background_bottom, background_top, uv.y) * (1.0 + (hash(uv * 900.0) - 0.5) * 0.02);
    if (truth.x > 0.5) {
        vec3 open = vec3(occlusion(truth.y));
        // Skin shades towards red.
        c = texture(color_map, uv).rgb * (truth.x < 5.5 ? pow(open, vec3(0.75, 1.1, 1.2)) : open);
    }
    out_color = vec4(pow(tone_curve(c * 0.78), vec3(1.0 / 2.2)), 1.0);
}
