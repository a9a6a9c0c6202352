package sandbox

import (
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
)

// tableColumn is how a column of a table is set.
type tableColumn struct {
	Align string `json:"align"`
}

// table is a table with its first row as heading.
type table struct {
	Caption string
	Head    []cell
	Rows    [][]cell
}

type cell struct {
	HTML  template.HTML
	Right bool // numbers
	Press *element
}

func (c *canvas) table(b rawBlock) *table {
	out := &table{Caption: b.Caption}
	for i, raw := range b.Rows {
		var cells []json.RawMessage
		if json.Unmarshal(raw, &cells) != nil {
			continue
		}
		row := make([]cell, 0, len(cells))
		for j, one := range cells {
			drawn := c.cell(b.BlockID, one)
			if j < len(b.Columns) && b.Columns[j].Align == "right" {
				drawn.Right = true
			}
			row = append(row, drawn)
		}
		if i == 0 {
			out.Head = row
			continue
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func (c *canvas) cell(blockID string, raw json.RawMessage) cell {
	var one struct {
		Type     string            `json:"type"`
		Text     string            `json:"text"`
		Value    any               `json:"value"`
		Element  *rawElement       `json:"element"`
		Elements []json.RawMessage `json:"elements"`
	}
	if json.Unmarshal(raw, &one) != nil {
		return cell{}
	}
	switch {
	case one.Type == "rich_text":
		return cell{HTML: c.richText(one.Elements)}
	case one.Element != nil:
		return cell{Press: c.optional(blockID, one.Element)}
	case one.Type == "raw_number" && one.Text == "":
		return cell{HTML: c.plain(fmt.Sprint(one.Value)), Right: true}
	default:
		return cell{HTML: c.plain(one.Text), Right: one.Type == "raw_number"}
	}
}

// rawChart is the chart of a data_visualization block.
type rawChart struct {
	Type     string `json:"type"`
	Segments []struct {
		Label string  `json:"label"`
		Value float64 `json:"value"`
	} `json:"segments"`
	Series []struct {
		Name string `json:"name"`
		Data []struct {
			Label string  `json:"label"`
			Value float64 `json:"value"`
		} `json:"data"`
	} `json:"series"`
}

// chart is a chart as bars, whatever its type: every value with its share of the largest.
type chart struct{ Bars []bar }

type bar struct {
	Label string
	Value string
	Share float64 // of the largest value, 0 to 100
}

func chartOf(raw *rawChart) *chart {
	if raw == nil {
		return nil
	}
	type point struct {
		label string
		value float64
	}
	var points []point
	for _, s := range raw.Segments {
		points = append(points, point{s.Label, s.Value})
	}
	for _, series := range raw.Series {
		for _, d := range series.Data {
			points = append(points, point{strings.TrimSpace(series.Name + " " + d.Label), d.Value})
		}
	}
	most := 0.0
	for _, p := range points {
		most = max(most, p.value)
	}
	out := &chart{}
	for _, p := range points {
		share := 0.0
		if most > 0 {
			share = max(0, 100*p.value/most)
		}
		out.Bars = append(out.Bars, bar{Label: p.label, Value: fmt.Sprint(p.value), Share: share})
	}
	return out
}
