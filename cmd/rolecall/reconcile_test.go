package main

import (
	"errors"
	"testing"

	"rolecall/lifecycle"
)

func TestWhatARollCallExitsWith(t *testing.T) {
	t.Parallel()
	full := errors.New("save roll call: commit: database or disk is full")
	short := errors.New("read every account: page 3 of 7: 502")
	for name, tt := range map[string]struct {
		err  error
		dry  bool
		code int
	}{
		"it broke off, which is on record":         {err: lifecycle.Permanent(short), code: exitPartial},
		"it broke off, and nothing was to be kept": {err: short, dry: true, code: exitPartial},
		"it could not be kept":                     {err: full, code: exitFault},
		"the policy is wrong":                      {err: lifecycle.Permanent(lifecycle.Refuse(lifecycle.ErrInvalid, "no such team")), code: exitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if code, words := exit(notWhole(tt.err, tt.dry)); code != tt.code {
				t.Errorf("exits %d with %q, want %d", code, words, tt.code)
			}
		})
	}
}
