// Brush and ink: white paper, black shadows and hair, hatching in between.
void main() {
    Surface s = surface_here();
    float ink = outline();
    if (s.part != 0) {
        float shade = grey(developed(lit_and_occluded(s)));
        float own = grey(screen(s.albedo));
        ink = max(ink, max(relief_line(s) * 0.8, drawn_detail(s)));
        if (s.material == HAIR) {
            float gloss = smoothstep(0.22, 0.45, shade / max(0.35, own) * 0.55);
            ink = max(ink, own < 0.36 ? 1.0 - strokes(1.4, 3.0, gloss) * step(0.12, gloss) : step(shade / own, 0.62) + strokes(1.35, 3.2, 0.28));
        } else if (s.material == EYE) ink = max(ink, 0.0);
        else {
            float light = s.material == SKIN ? shade / max(0.3, own) : shade;
            ink = max(ink, smoothstep(0.27, 0.20, light));
            ink = max(ink, strokes(0.8, 3.4, 0.7 * smoothstep(0.66, 0.32, light)));
        }
        if (s.material == TEETH) ink = outline();
    }
    out_color = vec4(mix(vec3(0.97, 0.965, 0.95), vec3(0.05, 0.045, 0.06), saturate(ink)), 1.0);
}
