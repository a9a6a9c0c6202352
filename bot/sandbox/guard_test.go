package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"rolecall/bot/sandbox"
	"rolecall/bot/slacktest"
)

func TestOnlyLoopbackNamesAreAnswered(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for host, want := range map[string]int{
		"localhost:8080":        http.StatusOK,
		"LOCALHOST":             http.StatusOK,
		"127.0.0.1:8080":        http.StatusOK,
		"127.8.9.1":             http.StatusOK,
		"[::1]:8080":            http.StatusOK,
		"evil.example":          http.StatusForbidden,
		"localhost.evil.test":   http.StatusForbidden,
		"127.0.0.1.nip.example": http.StatusForbidden,
		"192.168.1.4:8080":      http.StatusForbidden,
		"0.0.0.0":               http.StatusForbidden,
		"":                      http.StatusForbidden,
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/u/"+marco+"/c/"+payments, nil)
			r.Host = host
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("status %d, want %d", w.Code, want)
			}
		})
	}
}

func TestPostsMustComeFromThePage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	token := s.token()
	for name, tt := range map[string]struct {
		token, header, value string
		want                 int
	}{
		"with the token":                 {token: token, want: http.StatusSeeOther},
		"from the page itself":           {token: token, header: "Origin", value: "http://localhost", want: http.StatusSeeOther},
		"without the token":              {want: http.StatusForbidden},
		"with another token":             {token: token + "x", want: http.StatusForbidden},
		"from another origin":            {token: token, header: "Origin", value: "https://evil.example", want: http.StatusForbidden},
		"from another port":              {token: token, header: "Origin", value: "http://localhost:9", want: http.StatusForbidden},
		"from a page without an origin":  {token: token, header: "Origin", value: "null", want: http.StatusForbidden},
		"when the browser says another":  {token: token, header: "Sec-Fetch-Site", value: "cross-site", want: http.StatusForbidden},
		"when the browser says the same": {token: token, header: "Sec-Fetch-Site", value: "same-origin", want: http.StatusSeeOther},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form := url.Values{"csrf": {tt.token}, "channel": {payments}, "text": {"hello"}}
			r := httptest.NewRequest(http.MethodPost, "/u/"+marco+"/say", strings.NewReader(form.Encode()))
			r.Host = "localhost"
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if tt.header != "" {
				r.Header.Set(tt.header, tt.value)
			}
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("status %d (%s), want %d", w.Code, w.Body, tt.want)
			}
		})
	}
}

func TestAFormBeyondTheLimitIsRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	response, err := http.PostForm(s.url+"/u/"+marco+"/say", url.Values{"csrf": {s.token()}, "text": {strings.Repeat("a", 2<<20)}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("status %d, want 403", response.StatusCode)
	}
}

// TestThePageObeysItsOwnPolicy: what the policy forbids would not work, so the page must not have it.
func TestThePageObeysItsOwnPolicy(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	response, err := http.Get(s.url + "/u/" + marco + "/c/" + payments)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	contains(t, response.Header.Get("Content-Security-Policy"), "default-src 'none'", "script-src 'self'", "frame-ancestors 'none'")
	page := s.page("/u/" + marco + "/c/" + payments)
	for what, pattern := range map[string]string{
		"a style attribute":  `<[^>]*\sstyle\s*=`,
		"an event attribute": `<[^>]*\son[a-z]+\s*=`,
		"a script inline":    `<script>|<script [^s]`,
		"another server":     `(src|href)="(https?:)?//`,
		"an empty action":    `action=""`,
	} {
		if found := regexp.MustCompile(pattern).FindString(page); found != "" {
			t.Errorf("the page has %s: %s", what, found)
		}
	}
	for _, asset := range regexp.MustCompile(`/static/[^"]+`).FindAllString(page, -1) {
		s.page(asset)
	}
}

func TestAFormSendsNobodyElsewhere(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	token := s.token()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, back := range []string{"https://evil.example/u/x", "//evil.example/u/x", "/static/style.css", `/\evil.example`, "", "%zz"} {
		response, err := client.PostForm(s.url+"/u/"+marco+"/say", url.Values{"csrf": {token}, "channel": {payments}, "text": {"hi"}, "back": {back}})
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if to := response.Header.Get("Location"); to != "/u/"+marco+"/c/"+payments {
			t.Errorf("back %q leads to %q", back, to)
		}
	}
}

func TestAMistakenConfigurationIsRefusedWhole(t *testing.T) {
	t.Parallel()
	if _, err := sandbox.New(sandbox.Config{}); err == nil {
		t.Error("a page without a workspace was made")
	}
	w := slacktest.New(slacktest.Config{})
	_, err := sandbox.New(sandbox.Config{
		Workspace: w,
		Actors:    []sandbox.Actor{{UserID: "U0NOBODY"}},
		Story:     []sandbox.Step{{ID: "a"}, {ID: "a", ActAs: w.Config().BotUserID}, {}},
	})
	if err == nil {
		t.Fatal("accepted")
	}
	contains(t, err.Error(), `Actors[0]: "U0NOBODY"`, `Story[1]: ID "a"`, `Story[1] a: ActAs`, `Story[2]: ID ""`)
}
