package bot

import (
	"strings"

	"rolecall/lifecycle"
)

// rollCall is the source of what a roll call of ours found.
const rollCall = "roll call"

// unanswered reports whether the finding is about a place where somebody should
// answer and nobody does: it has a level or a schedule, and no account.
func unanswered(f lifecycle.Finding) bool {
	place := f.Entitlement.Kind == lifecycle.KindEscalationPolicy || f.Entitlement.Kind == lifecycle.KindSchedule
	return place && f.Account.ID == ""
}

// findingWords says a finding with all that is known of it: who made it so, or
// that this cannot be told, and what a claim about use rests on.
func findingWords(f lifecycle.Finding) string {
	sentence := f.Sentence()
	if unanswered(f) {
		sentence = f.Note
	}
	words := foreign(fullStop(sentence), maxPhrase)
	if f.Source == rollCall && f.Note != "" && !strings.Contains(sentence, strings.TrimSuffix(f.Note, ".")) {
		words += " " + foreign(fullStop(f.Note), maxPhrase)
	}
	if f.MadeBy != "" && !strings.Contains(sentence, f.MadeBy) {
		words += " Made so by " + foreign(fullStopAfter(f.MadeBy), maxPhrase)
	}
	if f.Proxy != "" && !strings.Contains(sentence, f.Proxy) {
		words += " (" + foreign(f.Proxy, maxPhrase) + ")"
	}
	return words
}

// fullStopAfter is fullStop for what goes on within a sentence.
func fullStopAfter(s string) string {
	if s = strings.TrimSpace(s); strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}
