package slacktest_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"rolecall/bot/slacktest"
)

// announce asks for an upload URL, and returns it with the id of the file.
func (w *world) announce(t *testing.T, body string) (address, id string) {
	t.Helper()
	at, err := w.api.GetUploadURLExternalContext(t.Context(), slack.GetUploadURLExternalParameters{FileName: "trend.png", FileSize: len(body), AltTxt: "words"})
	if err != nil {
		t.Fatal(err)
	}
	return at.UploadURL, at.FileID
}

func (w *world) send(t *testing.T, address, kind, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func (w *world) finish(t *testing.T, id string) string {
	t.Helper()
	_, err := w.api.CompleteUploadExternalContext(t.Context(), slack.CompleteUploadExternalParameters{Files: []slack.FileSummary{{ID: id, Title: "Trend"}}})
	return code(err)
}

func (w *world) shows(t *testing.T, f *slack.SlackFileObject) string {
	t.Helper()
	_, _, err := w.api.PostMessageContext(t.Context(), payments, slack.MsgOptionText("x", false), slack.MsgOptionBlocks(slack.NewImageBlockSlackFile(f, "words", "", nil)))
	return code(err)
}

func TestAFileIsShownOnceItIsUploadedAndComplete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *slacktest.Config) { c.FileDelay = 2 * time.Second }, lenient)
	address, id := w.announce(t, "picture")
	shown := &slack.SlackFileObject{ID: id}
	for _, step := range []struct{ what, got, want string }{
		{"shown before it was uploaded", w.shows(t, shown), "invalid_blocks"},
		{"completed before it was uploaded", w.finish(t, id), "file_not_found"},
	} {
		if step.got != step.want {
			t.Errorf("%s: got %q", step.what, step.got)
		}
	}
	if got := w.send(t, address, "application/octet-stream", "picture"); got != http.StatusOK {
		t.Fatalf("the upload is answered %d", got)
	}
	if _, ok := w.File(id); ok || w.shows(t, shown) != "invalid_blocks" {
		t.Error("it is there before it was completed")
	}
	if got := w.finish(t, id); got != "" {
		t.Fatal(got)
	}
	if got := w.shows(t, shown); got != "invalid_blocks" {
		t.Errorf("Slack had worked on it at once: %q", got)
	}
	w.clock.Forward(2 * time.Second)
	if got := w.shows(t, shown); got != "" {
		t.Errorf("refused with %q", got)
	}
	if f, ok := w.File(id); !ok || string(f.Body) != "picture" || f.AltText != "words" || f.Title != "Trend" || f.Name != "trend.png" {
		t.Errorf("got %+v", f)
	}
	if got := w.finish(t, id); got != "" {
		t.Errorf("completed again: %q", got)
	}
}

func TestWhatIsNoUploadIsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		kind, body string
		want       int
	}{
		"a form":         {"multipart/form-data; boundary=x", "picture", http.StatusBadRequest},
		"too few bytes":  {"image/png", "pictur", http.StatusBadRequest},
		"too many bytes": {"image/png", "pictures", http.StatusBadRequest},
		"raw bytes":      {"image/png", "picture", http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			address, _ := w.announce(t, "picture")
			if got := w.send(t, address, tt.kind, tt.body); got != tt.want {
				t.Errorf("got %d", got)
			}
			if again := w.send(t, address, tt.kind, tt.body); again == http.StatusOK {
				t.Error("an upload URL works twice")
			}
			if len(w.Violations()) == 0 {
				t.Error("nobody is told")
			}
		})
	}
}

func TestFilesHaveTheirLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, tt := range map[string]struct {
		params slack.GetUploadURLExternalParameters
		want   string
	}{
		"a long description": {slack.GetUploadURLExternalParameters{FileName: "a.png", FileSize: 1, AltTxt: strings.Repeat("é", 1001)}, "alt_txt_too_large"},
		"too much":           {slack.GetUploadURLExternalParameters{FileName: "a.png", FileSize: 2 << 30}, "file_upload_size_restricted"},
		"all is well":        {slack.GetUploadURLExternalParameters{FileName: "a.png", FileSize: 1, AltTxt: strings.Repeat("é", 1000)}, ""},
	} {
		if _, err := w.api.GetUploadURLExternalContext(t.Context(), tt.params); code(err) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, f := range map[string]*slack.SlackFileObject{"an id that is none": {ID: "trend.png"}, "a file that is not there": {ID: "F0123456789"}, "nothing": {}} {
		if got := w.shows(t, f); got != "invalid_blocks" {
			t.Errorf("%s: got %q", name, got)
		}
	}
	poor := newWorld(t, func(c *slacktest.Config) { c.Scopes = []string{"chat:write"} })
	if _, err := poor.api.GetUploadURLExternalContext(t.Context(), slack.GetUploadURLExternalParameters{FileName: "a", FileSize: 1}); code(err) != "missing_scope" {
		t.Errorf("without the scope: %v", err)
	}
}

// The form that slack-go makes of a file is closed twice; the fake would find the end of it inside the file.
func TestTheLibrarysOwnUploadIsToldOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.api.UploadFileContext(t.Context(), slack.UploadFileParameters{Filename: "a.png", FileSize: 3, Reader: bytes.NewReader([]byte("abc"))})
	if err == nil {
		t.Error("it went through")
	}
}
