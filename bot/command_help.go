package bot

import (
	"fmt"
	"strings"
)

// help says what can be asked.
func help() message {
	var all []string
	for _, s := range subcommands() {
		all = append(all, fmt.Sprintf("`%s` — %s", strings.TrimSpace(Command+" "+s.name+" "+s.args), s.what))
	}
	m := lines("*rolecall* governs who holds which role in PagerDuty. Only you see the answers.", all, "")
	m.Blocks = append(m.Blocks, contextLine("Decide on the cards, or on the Home tab of this app. In a card's message menu, *Show history* tells its story."))
	return m
}

// unknownCommand proposes the nearest command, with one example.
func unknownCommand(name string) message {
	near := nearest(strings.ToLower(name))
	words := fmt.Sprintf("I do not know `%s`. Did you mean `%s %s`? For example: `%s %s`. Everything I know: `%s help`.",
		foreign(name, maxName), Command, near.name, Command, near.example, Command)
	return message{Text: words}
}

// nearest returns the subcommand that takes the fewest edits to get to.
func nearest(name string) subcommand {
	all := subcommands()
	best := all[len(all)-1] // help, when nothing is near
	least := min(len(name)/2+1, 3)
	for _, s := range all {
		if name != "" && strings.HasPrefix(s.name, name) {
			return s
		}
		if d := edits(name, s.name); d <= least {
			best, least = s, d-1
		}
	}
	return best
}

// edits is the Levenshtein distance of a and b, in runes; a beyond 32 runes is
// cut, since nothing near is that long.
func edits(a, b string) int {
	from, to := []rune(clip(a, 32)), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j, s := range to {
			cost := 1
			if r == s {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(to)]
}
