package bot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/slack-go/slack"
)

const maxFileAlt = 1000

// A picture is what an image block shows out of Slack's own files: it is seen by
// who sees the message, and needs no address that the world can open.
type picture struct {
	Name string // of the file
	Alt  string // what it tells, for who cannot see it
	PNG  []byte
}

// upload puts the picture into Slack and returns the id of the file. All three
// steps may be repeated: a file that no message shows is seen by nobody.
func (o *outbox) upload(ctx context.Context, p picture) (fileID string, err error) {
	var at *slack.GetUploadURLExternalResponse
	err = o.call(ctx, "files.getUploadURLExternal", again, func() error {
		at, err = o.api.GetUploadURLExternalContext(ctx, slack.GetUploadURLExternalParameters{FileName: p.Name, FileSize: len(p.PNG), AltTxt: clip(p.Alt, maxFileAlt)})
		return err
	})
	if err != nil {
		return "", err
	}
	if err := o.files(at.UploadURL); err != nil {
		return "", err
	}
	// Whether the bytes have arrived cannot be asked: where that answer was lost, the next step tells.
	if err := o.call(ctx, "upload_url", once, func() error { return o.postBytes(ctx, at.UploadURL, p.PNG) }); err != nil && !transient(ctx, err) {
		return "", err
	}
	return at.FileID, o.call(ctx, "files.completeUploadExternal", again, func() error {
		_, err := o.api.CompleteUploadExternalContext(ctx, slack.CompleteUploadExternalParameters{Files: []slack.FileSummary{{ID: at.FileID, Title: p.Name}}})
		return err
	})
}

// files refuses upload URLs that are not Slack's: a picture is as private as what
// it shows. The host of a test's or the demo's API is its own Slack.
func (o *outbox) files(uploadURL string) error {
	u, err := url.Parse(uploadURL)
	if err != nil {
		return errors.New("the upload URL is not a URL")
	}
	api, err := url.Parse(o.apiURL)
	if err != nil {
		return fmt.Errorf("parse the Slack API URL: %w", err)
	}
	theirs := u.Scheme == "https" && (u.Host == api.Host || strings.HasSuffix(u.Host, "."+api.Host))
	own := u.Scheme == api.Scheme && u.Host == api.Host
	if !theirs && !own {
		return fmt.Errorf("the upload URL is at %q, which is not Slack", u.Host)
	}
	return nil
}

// postBytes sends the raw bytes. The library's own upload makes a form of them
// and closes it twice, so that a strict reader finds the end inside the file.
func (o *outbox) postBytes(ctx context.Context, target string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make upload: %w", err)
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := o.http.Do(req)
	if err != nil {
		return fmt.Errorf("send upload: %w", err)
	}
	defer resp.Body.Close()
	return answered(resp, nil)
}
