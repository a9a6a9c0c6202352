package bot

import (
	"fmt"
	"strconv"

	"github.com/go-analyze/charts"
)

// The picture is read on a phone at a third of this size.
const (
	chartWidth  = 1200
	chartHeight = 560
	chartTitle  = 27 // points
	chartLegend = 23
	chartLabel  = 22
	chartTicks  = 5
)

// chartInk is what is written with, on white: a picture with a background of its
// own reads the same in Slack's light and dark themes.
func chartInk() charts.Color { return charts.Color{R: 29, G: 28, B: 29, A: 255} }

// chartColors are told apart by most who are colour-blind too (Okabe and Ito).
func chartColors() []charts.Color {
	return []charts.Color{{R: 0, G: 114, B: 178, A: 255}, {R: 213, G: 94, B: 0, A: 255}, {R: 17, G: 17, B: 17, A: 255}}
}

// png draws the trend. A day that was not counted is a gap.
func (t trend) png() ([]byte, error) {
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputPNG, Width: chartWidth, Height: chartHeight})
	if err := p.LineChart(t.chart()); err != nil {
		return nil, fmt.Errorf("draw the trend: %w", err)
	}
	picture, err := p.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode the trend: %w", err)
	}
	return picture, nil
}

func (t trend) chart() charts.LineChartOption {
	words := func(size float64) charts.FontStyle { return charts.FontStyle{FontSize: size, FontColor: chartInk()} }
	o := charts.NewLineChartOptionWithData(t.values())
	o.Theme = charts.GetTheme(charts.ThemeLight).WithBackgroundColor(charts.ColorWhite).WithSeriesColors(chartColors())
	o.Padding = charts.Box{Left: 24, Top: 20, Right: 34, Bottom: 20, IsSet: true}
	o.Title.Text, o.Title.FontStyle = fmt.Sprintf("Findings that stood, the last %d days", trendDays), words(chartTitle)
	o.Legend.SeriesNames, o.Legend.FontStyle = t.legend(), words(chartLegend)
	o.Legend.Offset = charts.OffsetStr{Left: "0", Top: "64"}
	o.XAxis.Labels, o.XAxis.LabelFontStyle, o.XAxis.LabelCount = t.labels(), words(chartLabel), 7
	o.YAxis[0].LabelFontStyle, o.YAxis[0].LabelCount = words(chartLabel), chartTicks
	o.YAxis[0].Min, o.YAxis[0].Max = charts.Ptr(0.0), charts.Ptr(t.top())
	o.Symbol, o.LineStrokeWidth = charts.Symbol{Shape: charts.SymbolDot, Size: 3}, 6 // a day between two gaps shows as a dot
	o.ValueFormatter = func(v float64) string { return strconv.Itoa(int(v)) }
	return o
}

// values returns the counts of each line, by day.
func (t trend) values() [][]float64 {
	lines := make([][]float64, len(trendLines()))
	for i := range lines {
		lines[i] = make([]float64, len(t.days))
		for day, p := range t.days {
			lines[i][day] = charts.GetNullValue()
			if p != nil {
				lines[i][day] = float64(p.counts[i])
			}
		}
	}
	return lines
}

// legend names each line with what it says now.
func (t trend) legend() []string {
	counted := t.counted()
	names := make([]string, len(trendLines()))
	for i, l := range trendLines() {
		names[i] = fmt.Sprintf("%s: %d", l.name, counted[len(counted)-1].counts[i])
	}
	return names
}

func (t trend) labels() []string {
	labels := make([]string, len(t.days))
	for i := range labels {
		labels[i] = t.first.AddDate(0, 0, i).Format("2 Jan")
	}
	return labels
}

// top returns where the axis ends: beyond every count, and divided into whole
// numbers that people count in.
func (t trend) top() float64 {
	most := 1
	for _, p := range t.counted() {
		for _, n := range p.counts {
			most = max(most, n)
		}
	}
	const steps = chartTicks - 1
	for unit := 1; ; unit *= 10 {
		for _, step := range []int{unit, 2 * unit, 5 * unit} {
			if step*steps >= most {
				return float64(step * steps)
			}
		}
	}
}
