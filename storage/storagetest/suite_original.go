package storagetest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func testOriginals(t *testing.T, x *fixture) {
	t.Run("the first that is kept for a change stays", func(t *testing.T) {
		t.Parallel()
		testFirstOriginal(t, x)
	})
	t.Run("of many who keep one at once one does", func(t *testing.T) {
		t.Parallel()
		testOriginalsAtOnce(t, x)
	})
	t.Run("comes back to the byte, up to 8 MiB", func(t *testing.T) {
		t.Parallel()
		testOriginalBytes(t, x)
	})
	t.Run("what could not be given back is refused", func(t *testing.T) {
		t.Parallel()
		testOriginalsRefused(t, x)
	})
}

func keepOriginal(t *testing.T, db *storage.DB, o lifecycle.Original) error {
	return db.KeepOriginal(t.Context(), o, event(lifecycle.EventOriginalKept, string(o.Change)))
}

func testFirstOriginal(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	if _, err := db.Original(t.Context(), "chg_1"); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("before anything is kept: %v", err)
	}
	first, second := sampleOriginal("chg_1"), sampleOriginal("chg_1")
	second.Body, second.KeptAt = []byte(`{"escalation_policy":{"id":"PESC","description":"our own doing"}}`), noon().AddDate(0, 0, 1)
	must(t, keepOriginal(t, db, first))
	must(t, keepOriginal(t, db, second))
	if n := lines(t, db); n != 1 {
		t.Errorf("%d lines, want the one of the first", n)
	}
	must(t, keepOriginal(t, db, sampleOriginal("chg_2")))
	if diff := cmp.Diff(first, get[lifecycle.Original](t)(db.Original(t.Context(), "chg_1"))); diff != "" {
		t.Errorf("what was kept first (-want +got):\n%s", diff)
	}
	whole(t, url)
}

func testOriginalsAtOnce(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	kept := together(8, func() bool {
		o := sampleOriginal("chg_1")
		o.Object.Name = unique()
		return keepOriginal(t, db, o) == nil
	})
	if n := lines(t, db); kept != 8 || n != 1 {
		t.Errorf("%d were told that it is kept, with %d lines; want 8 and 1", kept, n)
	}
	whole(t, url)
}

func testOriginalBytes(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	for id, body := range map[lifecycle.ChangeID][]byte{
		"chg_large":   bytes.Repeat([]byte("8 bytes."), 1<<20),
		"chg_spaced":  []byte("{\n  \"b\": 1.0,\t\"a\": 1e2,\r\n \"b\": \"<&>\\u2028\u2028\" }\n"),
		"chg_hostile": {'{', 0, 0xff, 0xfe, '\'', '"', '}'},
	} {
		o := sampleOriginal(id)
		o.Body = body
		must(t, keepOriginal(t, db, o))
		if got := get[lifecycle.Original](t)(db.Original(t.Context(), id)); !bytes.Equal(got.Body, body) {
			t.Errorf("%s of %d bytes came back as %d others", id, len(body), len(got.Body))
		}
	}
	for range 2 * 8 { // more than Verify reads at a time
		must(t, keepOriginal(t, db, sampleOriginal(lifecycle.NewChangeID())))
	}
	report := get[storage.VerifyReport](t)(storage.Verify(t.Context(), url, nil))
	if !report.Whole || report.Rows != 19 {
		t.Errorf("verified as %+v", report)
	}
}

func testOriginalsRefused(t *testing.T, x *fixture) {
	db := x.open(t)
	with := func(change func(*lifecycle.Original)) lifecycle.Original {
		o := sampleOriginal("chg_1")
		change(&o)
		return o
	}
	for name, tt := range map[string]struct {
		o      lifecycle.Original
		says   string
		reason bool // is for the person whose change it stops
	}{
		"one byte too large": {with(func(o *lifecycle.Original) { o.Body = make([]byte, 8<<20+1) }), "Payments was not changed", true},
		"of no change":       {with(func(o *lifecycle.Original) { o.Change = "" }), "for which change", false},
		"empty":              {with(func(o *lifecycle.Original) { o.Body = nil }), "nothing in it", false},
	} {
		err := keepOriginal(t, db, tt.o)
		if err == nil || !strings.Contains(err.Error(), tt.says) || (lifecycle.ReasonOf(err) != "") != tt.reason {
			t.Errorf("%s: %v, want an error that says %q", name, err, tt.says)
		}
	}
	if n := lines(t, db); n != 0 {
		t.Errorf("%d lines, want none", n)
	}
}
