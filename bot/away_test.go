package bot_test

import (
	"strings"
	"testing"
	"time"

	"rolecall/bot"
	"rolecall/lifecycle"
)

// absences returns who is said to be away, ended or not.
func (h *house) absences() (all []lifecycle.Absence) {
	h.store.change(func(m *memory) { all = append(all, m.absences...) })
	return all
}

func (h *house) hears(t *testing.T, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) {
		t.Errorf("told %q, want %q in it", got, want)
	}
}

func TestSomebodySaysThatTheyAreAway(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	h.open("req_1")
	told := h.ask(t, marco, "away until 2026-05-10 to <@"+ines+">")
	h.hears(t, told, "Noted: you are away 2 May 2026 to 10 May 2026. <@"+ines+"> decides what is yours till then. That holds for the 1 request that waits for you too.")
	all := h.absences()
	if len(all) != 1 || all[0].Delegate != "ines@acme.test" || !all[0].Until.Equal(time.Date(2026, 5, 11, 0, 0, 0, 0, time.UTC)) {
		t.Fatalf("stored: %+v", all)
	}
	h.openHome(t, marco)
	h.await(t, "his Home tab says so", func() bool { return strings.Contains(h.homeText(marco), "You are away") })
	if _, err := h.PressHome(t.Context(), marco, bot.ActionBack); err != nil {
		t.Fatal(err)
	}
	h.await(t, "he is back", func() bool { return !strings.Contains(h.homeText(marco), "You are away") })
	h.clean(t)
}

func TestAwayIsAskedInAModal(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overSocket)
	if _, err := h.Command(t.Context(), marco, payments, bot.Command, "away"); err != nil {
		t.Fatal(err)
	}
	h.awaitModal(t, marco)
	red := h.fill(t, marco, map[string]any{bot.InputFrom: "2026-05-04", bot.InputUntil: "2026-05-03"})
	if red[bot.InputUntil] != "Pick a day from the first one on." {
		t.Errorf("the wrong way round: %v", red)
	}
	red = h.fill(t, marco, map[string]any{bot.InputFrom: "2026-05-04", bot.InputUntil: "2026-05-08", bot.InputDelegate: marco})
	if !strings.Contains(red[bot.InputDelegate], "You cannot stand in for yourself") {
		t.Errorf("for himself: %v", red)
	}
	if red = h.fill(t, marco, map[string]any{bot.InputFrom: "2026-05-04", bot.InputUntil: "2026-05-08", bot.InputDelegate: ines, bot.InputReason: "Holidays"}); len(red) != 0 {
		t.Fatalf("refused: %v", red)
	}
	h.awaitTold(t, marco, "Until it begins, nothing changes.")
	h.hears(t, h.ask(t, marco, "away back"), "Welcome back.")
	h.hears(t, h.ask(t, marco, "away back"), "You are not away, and not about to be.")
	h.clean(t)
}

func TestWhatAwayCannotRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	for words, told := range map[string]string{
		"away tomorrow":                                 "I cannot read",
		"away until christmas":                          "is not a day like",
		"away until 2026-05-01":                         "must end after now",
		"away until 2026-05-10 to ines":                 "I cannot tell who",
		"away until 2026-05-10 to <@" + omar + "> soon": "I cannot read",
	} {
		h.hears(t, h.ask(t, marco, words), told)
	}
	if all := h.absences(); len(all) != 0 {
		t.Errorf("stored: %+v", all)
	}
}
