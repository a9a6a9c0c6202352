package oktatest_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/intake/okta/oktatest"
)

// receiver answers each delivery with the next status, and notes them.
type receiver struct {
	mu       sync.Mutex
	statuses []int
	got      int
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.Method == http.MethodGet {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"verification":"` + q.Header.Get("X-Okta-Verification-Challenge") + `"}`))
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	status := http.StatusNoContent
	if r.got < len(r.statuses) {
		status = r.statuses[r.got]
	}
	r.got++
	w.WriteHeader(status)
}

func TestAHookIsTriedAsOktaDoes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answers []int
		want    []int
	}{
		"once where it is taken":                      {nil, []int{204}},
		"once more after a fault":                     {[]int{503}, []int{503, 204}},
		"and no more":                                 {[]int{500, 502, 204}, []int{500, 502}},
		"never after the receiver's own no":           {[]int{401}, []int{401}},
		"never after too many either, which is a 4xx": {[]int{429}, []int{429}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(&receiver{statuses: tt.answers})
			t.Cleanup(server.Close)
			o := oktatest.New(oktatest.Config{})
			o.Register(oktatest.Hook{URL: server.URL, Types: []string{"user.lifecycle.deactivate"}})
			if err := o.Verify(t.Context()); err != nil {
				t.Fatal(err)
			}
			id := o.AddUser(map[string]any{"login": "mina@acme.test"})
			o.Deactivate(id)
			got, err := o.Deliver(t.Context())
			if err != nil || len(got) != 1 {
				t.Fatalf("%d deliveries, %v: only what was asked for is sent", len(got), err)
			}
			if diff := cmp.Diff(tt.want, got[0].Statuses); diff != "" {
				t.Errorf("tries (-want +got):\n%s", diff)
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestOktaWaitsThreeSecondsTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		quick := &receiver{}
		slow := false
		client := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if slow {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			w := httptest.NewRecorder()
			quick.ServeHTTP(w, r)
			return w.Result(), nil
		})}
		o := oktatest.New(oktatest.Config{})
		o.Register(oktatest.Hook{URL: "http://rolecall.test", Types: []string{"user.lifecycle.create"}, Client: client})
		if err := o.Verify(t.Context()); err != nil {
			t.Fatal(err)
		}
		slow = true
		o.AddUser(map[string]any{"login": "mina@acme.test"})
		began := time.Now()
		got, err := o.Deliver(t.Context())
		if err != nil || len(got) != 1 || !cmp.Equal(got[0].Statuses, []int{0, 0}) || time.Since(began) != 6*time.Second {
			t.Errorf("%v after %s, %v", got, time.Since(began), err)
		}
	})
}

func TestAHookThatSaysSomethingElseIsNotBelieved(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"verification":"something else"}`))
	}))
	t.Cleanup(server.Close)
	o := oktatest.New(oktatest.Config{})
	o.Register(oktatest.Hook{URL: server.URL})
	if err := o.Verify(t.Context()); err == nil {
		t.Error("it is believed")
	}
	if _, err := o.Deliver(t.Context()); err == nil {
		t.Error("it is delivered to")
	}
}
