package e2e

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
)

// Measures of the picture, in pixels.
const (
	width, height          = 900, 480
	left, right, top, foot = 80, 20, 50, 60
)

// colours of the lines, which people who do not tell red from green can tell apart.
var colours = map[string]string{stand.Ceiling: "#888888", stand.Sluice: "#0072b2", stand.KubeScheduler: "#d55e00"}

// Picture draws how many pods were bound after how many seconds: a line for each scheduler, of its round with the median speed, and for the best
// ceiling. It returns an SVG, or nothing if nothing has a curve.
func (c *Outcome) Picture() string {
	var lines []Measurement
	end := 0.0
	for _, name := range c.names() {
		if rank(name) == 0 && name != c.ceilingName() {
			continue
		}
		if m, ok := c.typical(name); ok && len(m.Curve) > 0 {
			lines = append(lines, m)
			end = max(end, m.Curve[len(m.Curve)-1])
		}
	}
	if len(lines) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	since := "since the first pod was created"
	if c.Mode == Before {
		since = "since the scheduler was started"
	}
	text(&b, width/2, 24, "middle", fmt.Sprintf("%d pods on %d nodes: pods bound over seconds %s", c.Workload.Pods, c.Workload.Nodes, since))
	p := plot{end: end, pods: float64(c.Workload.Pods)}
	p.axes(&b)
	for i, m := range lines {
		p.line(&b, i, m)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// typical is the measurement with the median speed; of an even number, the slower of the middle two.
func (c *Outcome) typical(scheduler string) (m Measurement, ok bool) {
	var all []Measurement
	for _, m := range c.Measurements {
		if m.Scheduler == scheduler {
			all = append(all, m)
		}
	}
	if len(all) == 0 {
		return m, false
	}
	slices.SortFunc(all, func(a, b Measurement) int { return int(math.Copysign(1, a.PerSecond-b.PerSecond)) })
	return all[(len(all)-1)/2], true
}

// plot maps seconds and pods to pixels.
type plot struct{ end, pods float64 }

func (p plot) x(seconds float64) float64 { return left + seconds/p.end*(width-left-right) }
func (p plot) y(pods float64) float64    { return height - foot - pods/p.pods*(height-top-foot) }

// axes draws the frame with round numbers.
func (p plot) axes(b *strings.Builder) {
	for _, v := range marks(p.pods) {
		fmt.Fprintf(b, `<path d="M%d %.1fH%d" stroke="#dddddd"/>`+"\n", left, p.y(v), width-right)
		text(b, left-8, p.y(v)+4, "end", fmt.Sprintf("%g", v))
	}
	for _, v := range marks(p.end) {
		fmt.Fprintf(b, `<path d="M%.1f %dV%d" stroke="#dddddd"/>`+"\n", p.x(v), top, height-foot)
		text(b, p.x(v), height-foot+18, "middle", fmt.Sprintf("%g", v))
	}
	text(b, (left+width-right)/2, height-foot+40, "middle", "seconds")
	fmt.Fprintf(b, `<path d="M%d %dV%dH%d" fill="none" stroke="black"/>`+"\n", left, top, height-foot, width-right)
}

// marks are round numbers from 0 to end, between five and ten of them.
func marks(end float64) (at []float64) {
	step := math.Pow(10, math.Floor(math.Log10(end)))
	for _, part := range []float64{1, 0.5, 0.2, 0.1} {
		if end/(step*part) >= 5 {
			step *= part
			break
		}
	}
	for i := 0; float64(i)*step <= end*1.0001; i++ {
		at = append(at, math.Round(float64(i)*step*1e6)/1e6)
	}
	return at
}

// line draws one curve and its legend.
func (p plot) line(b *strings.Builder, i int, m Measurement) {
	kind := m.Scheduler
	if rank(kind) == 0 {
		kind = stand.Ceiling
	}
	var points []string
	for k, at := range m.Curve {
		points = append(points, fmt.Sprintf("%.1f,%.1f", p.x(at), p.y(p.pods*float64(k)/float64(len(m.Curve)-1))))
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), colours[kind])
	y := height - foot - 20*float64(3-i)
	fmt.Fprintf(b, `<path d="M%d %.1fh30" stroke="%s" stroke-width="3"/>`+"\n", width-320, y-4, colours[kind])
	text(b, width-280, y, "start", fmt.Sprintf("%s, %.0f pods/s", m.Scheduler, m.PerSecond))
}

func text(b *strings.Builder, x, y float64, anchor, s string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, s)
}
