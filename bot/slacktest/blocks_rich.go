package slacktest

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// Limits of the blocks that hold tables, charts and other blocks.
const (
	maxTableRows     = 100
	maxTableColumns  = 20
	maxDataRows      = 201
	maxDataText      = 20_000
	maxChart         = 50
	maxSegments      = 12
	maxChildren      = 10
	maxContainerText = 150
	maxAlert         = 200
)

func (k *checker) richBlock(at, kind string, b object) {
	switch kind {
	case "rich_text":
		k.richText(at, b)
	case "table":
		k.table(at, b)
	case "data_table":
		k.dataTable(at, b)
	case "data_visualization":
		k.chart(at, b)
	case "container":
		k.container(at, b)
	case "layout":
		k.layout(at, b)
	case "alert":
		k.alert(at, b)
	case "video":
		k.video(at, b)
	case "file":
		if str(b, "external_id") == "" || str(b, "source") != "remote" {
			k.bad(at, "missing required field: external_id, or source is not remote")
		}
	}
}

func (k *checker) richText(at string, b object) {
	elements := list(b, "elements")
	if elements == nil {
		k.bad(at+"/elements", "missing required field")
	}
	k.each(at+"/elements", elements, func(here string, e object) {
		known := []string{"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
		if !slices.Contains(known, str(e, "type")) {
			k.bad(here+"/type", "unsupported type: %s", str(e, "type"))
		}
	})
}

func (k *checker) table(at string, b object) {
	k.tables++
	rows := list(b, "rows")
	k.items(at+"/rows", len(rows), 1, maxTableRows)
	k.items(at+"/column_settings", len(list(b, "column_settings")), 0, maxTableColumns)
	k.cells(at, rows, []string{"raw_text", "raw_number", "rich_text"})
}

// cells checks every cell of a table and returns how many characters they hold together.
func (k *checker) cells(at string, rows []any, permitted []string) int {
	characters := 0
	for i, r := range rows {
		row, _ := r.([]any)
		here := fmt.Sprintf("%s/rows/%d", at, i)
		k.items(here, len(row), 1, maxTableColumns)
		for j, c := range row {
			cell, _ := c.(object)
			characters += utf8.RuneCountInString(str(cell, "text"))
			if !slices.Contains(permitted, str(cell, "type")) {
				k.bad(fmt.Sprintf("%s/%d/type", here, j), "unsupported type: %s", str(cell, "type"))
			}
			if str(cell, "type") == "action_cell" {
				k.element(fmt.Sprintf("%s/%d/element", here, j), cell["element"], []string{"button"}, map[string]bool{})
			}
		}
	}
	return characters
}

func (k *checker) dataTable(at string, b object) {
	rows := list(b, "rows")
	k.items(at+"/rows", len(rows), 2, maxDataRows)
	k.length(at+"/caption", str(b, "caption"), 1, maxTextObject)
	if size, given := number(b, "page_size"); given && (size < 1 || size > 100) {
		k.bad(at+"/page_size", "must be between 1 and 100")
	}
	if len(rows) == 0 {
		return
	}
	characters := k.cells(at, rows[:1], []string{"raw_text"})
	characters += k.cells(at, rows[1:], []string{"raw_text", "raw_number", "rich_text", "action_cell"})
	if characters > maxDataText {
		k.bad(at+"/rows", "all text together must be less than %d characters", maxDataText+1)
	}
}

func (k *checker) chart(at string, b object) {
	k.length(at+"/title", str(b, "title"), 1, maxChart)
	chart := obj(b, "chart")
	if !slices.Contains([]string{"pie", "line", "bar", "area"}, str(chart, "type")) {
		k.bad(at+"/chart/type", "unsupported type: %s", str(chart, "type"))
	}
	parts := len(list(chart, "segments")) + len(list(chart, "series"))
	k.items(at+"/chart", parts, 1, maxSegments)
	categories := texts(list(obj(chart, "axis_config"), "categories"))
	k.items(at+"/chart/axis_config/categories", len(categories), 0, 20)
	for i, label := range categories {
		k.atMost(fmt.Sprintf("%s/chart/axis_config/categories/%d", at, i), label, 20)
	}
}

func (k *checker) container(at string, b object) {
	if b["title"] == nil && b["rich_text_title"] == nil {
		k.bad(at+"/title", "missing required field")
	}
	k.text(at+"/title", b["title"], textRule{max: maxContainerText, plain: true})
	k.text(at+"/subtitle", b["subtitle"], textRule{max: maxContainerText})
	children := list(b, "child_blocks")
	k.items(at+"/child_blocks", len(children), 1, maxChildren)
	k.takeBlockIDs(at+"/child_blocks", children)
	permitted := []string{"actions", "context", "divider", "file", "header", "image", "input", "rich_text", "section", "table", "video", "layout"}
	for i, child := range objects(children) {
		here := fmt.Sprintf("%s/child_blocks/%d", at, i)
		if !slices.Contains(permitted, str(child, "type")) {
			k.bad(here+"/type", "unsupported type: %s", str(child, "type"))
			continue
		}
		k.block(here, child)
	}
}

// layout's nested children count toward the limit of the surface.
func (k *checker) layout(at string, b object) {
	k.length(at+"/label", str(b, "label"), 1, maxContainerText)
	rows := list(b, "rows")
	k.items(at+"/rows", len(rows), 1, 5)
	k.each(at+"/rows", rows, func(here string, row object) {
		items := list(row, "items")
		k.items(here+"/items", len(items), 1, 3)
		k.each(here+"/items", items, func(here string, item object) { k.layoutItem(here+"/block", item["block"]) })
	})
}

func (k *checker) layoutItem(at string, v any) {
	b, ok := v.(object)
	if !ok || str(b, "type") == "markdown" {
		k.bad(at+"/type", "unsupported type: %s", str(b, "type"))
		return
	}
	k.count++
	k.takeBlockIDs(at, []any{b})
	k.block(at, b)
}

func (k *checker) alert(at string, b object) {
	k.text(at+"/text", b["text"], textRule{max: maxAlert, required: true})
	levels := []string{"", "default", "info", "warning", "error", "success"}
	if !slices.Contains(levels, str(b, "level")) {
		k.bad(at+"/level", "unsupported level: %s", str(b, "level"))
	}
}

func (k *checker) video(at string, b object) {
	k.text(at+"/title", b["title"], textRule{max: 199, plain: true, required: true})
	for _, field := range []string{"alt_text", "thumbnail_url", "video_url"} {
		k.length(at+"/"+field, str(b, field), 1, maxURL)
	}
}
