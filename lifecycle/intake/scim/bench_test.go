package scim

import (
	"fmt"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"

	"rolecall/lifecycle"
)

// Creates, each with its fact, its lines and its job; 16 clients' calls at once.
func BenchmarkCreate(b *testing.B) {
	for name, open := range map[string]func(b *testing.B) lifecycle.ResourceStore{
		"in memory": func(*testing.B) lifecycle.ResourceStore { return newStore() },
		"SQLite": func(b *testing.B) lifecycle.ResourceStore {
			db, _ := openSQLite(b)
			return db
		},
	} {
		b.Run(name, func(b *testing.B) {
			h := houseOver(b, open(b), newStore())
			var n atomic.Int64
			b.SetParallelism(8)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if w := h.call("okta", http.MethodPost, "/Users", userBody(fmt.Sprintf("u%d@acme.test", n.Add(1)))); w.Code != http.StatusCreated {
						b.Errorf("status %d: %s", w.Code, w.Body)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
		})
	}
}

// A page of 100 out of few and out of 100,000, at the beginning and at the end:
// what it takes must not grow with how many there are.
func BenchmarkPage(b *testing.B) {
	db, _ := openSQLite(b)
	h := houseOver(b, db, newStore())
	have := 0
	for _, many := range []int{1_000, 100_000} {
		for ; have < many; have += 1000 {
			p := lifecycle.Provision{Client: "scim:okta", Summary: lifecycle.AuditEvent{At: h.clock.now(), Actor: "source:scim:okta", Kind: lifecycle.EventResourceChanged, Ref: "bench"}}
			for i := range 1000 {
				name := fmt.Sprintf("u%06d@acme.test", have+i)
				p.Put = append(p.Put, lifecycle.Resource{
					Client: "scim:okta", Kind: lifecycle.ResourceUser, ID: "usr_" + name, Version: 1, Name: name, Emails: []string{name},
					Body: []byte(`{"active":true,"emails":[{"primary":true,"type":"work","value":"` + name + `"}],"userName":"` + name + `"}`), Created: h.clock.now(), Modified: h.clock.now(),
				})
			}
			if err := db.Provision(b.Context(), p); err != nil {
				b.Fatal(err)
			}
		}
		for where, start := range map[string]int{"first": 1, "last": many - 99} {
			b.Run(fmt.Sprintf("%s of %d", where, many), func(b *testing.B) {
				b.ReportAllocs()
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				for b.Loop() {
					if w := h.call("okta", http.MethodGet, fmt.Sprintf("/Users?startIndex=%d&count=100", start), ""); w.Code != http.StatusOK {
						b.Fatalf("status %d: %s", w.Code, w.Body)
					}
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/1024, "KiB-kept")
			})
		}
	}
}

// One member less and one more, of a group of 2,000.
func BenchmarkJoin(b *testing.B) {
	db, _ := openSQLite(b)
	h := houseOver(b, db, newStore())
	ids := h.company(b, 2_000)
	group, _ := h.must(b, http.StatusCreated, http.MethodPost, "/Groups", groupBody("all", ids...))["id"].(string)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		for _, op := range []string{"remove", "add"} {
			body := patchBody(fmt.Sprintf(`{"op":%q,"path":"members","value":[{"value":%q}]}`, op, ids[i%len(ids)]))
			if w := h.call("okta", http.MethodPatch, "/Groups/"+group, body); w.Code != http.StatusNoContent {
				b.Fatalf("status %d: %s", w.Code, w.Body)
			}
		}
	}
}
