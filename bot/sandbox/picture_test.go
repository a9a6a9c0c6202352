package sandbox_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"testing"

	"github.com/slack-go/slack"
)

// upload puts a file into the workspace as the bot does, and returns its id.
func (s *stage) upload(body []byte) string {
	s.t.Helper()
	api := slack.New(s.ws.Config().BotToken, slack.OptionAPIURL(s.ws.Config().PublicURL+"/api/"))
	at, err := api.GetUploadURLExternalContext(s.t.Context(), slack.GetUploadURLExternalParameters{FileName: "trend.png", FileSize: len(body)})
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, at.UploadURL, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatal(resp.Status, err)
	}
	if _, err := api.CompleteUploadExternalContext(s.t.Context(), slack.CompleteUploadExternalParameters{Files: []slack.FileSummary{{ID: at.FileID}}}); err != nil {
		s.t.Fatal(err)
	}
	return at.FileID
}

func TestAnUploadedPictureIsShown(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var drawn bytes.Buffer
	if err := png.Encode(&drawn, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	id, page := s.upload(drawn.Bytes()), s.upload([]byte("<html><script>alert(1)</script>"))
	s.app.call("chat.postMessage", map[string]any{"channel": payments, "text": "the trend", "blocks": []any{
		map[string]any{"type": "image", "slack_file": map[string]any{"id": id}, "alt_text": `31 "stale" <b>`},
	}})
	contains(t, s.page("/u/"+marco+"/c/"+payments), `<figure class="b-image"><img class="file" src="/files/`+id+`" alt="31 &#34;stale&#34; &lt;b&gt;">`)
	if status, body := s.get("/files/" + id); status != http.StatusOK || body != drawn.String() {
		t.Errorf("the picture is answered with %d and %d bytes", status, len(body))
	}
	for _, other := range []string{page, "F0NOTHING"} {
		if status, body := s.get("/files/" + other); status != http.StatusNotFound {
			t.Errorf("%s is answered with %d: %s", other, status, body)
		}
	}
}
