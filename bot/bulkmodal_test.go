package bot

import (
	"fmt"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

func previews(found []lifecycle.Finding, what lifecycle.Review) []lifecycle.Preview {
	all := make([]lifecycle.Preview, len(found))
	for i, f := range found {
		all[i] = lifecycle.Preview{Finding: f, Changes: changesOf(f, what)}
	}
	return all
}

func itemsOf(found []lifecycle.Finding) []bulkItem {
	revoke, reduce := previews(found, lifecycle.ReviewRevoke), previews(found, lifecycle.ReviewReduce)
	all := make([]bulkItem, len(found))
	for i, f := range found {
		all[i] = bulkItem{f, revoke[i], reduce[i]}
	}
	return all
}

func TestModalsOfFindings(t *testing.T) {
	t.Parallel()
	f, meta := testFrame(), encodeMeta("bnd_0123", place{"D0MARCO", "1.1"})+"|1777896000"
	k := lifecycle.Bundle{Kind: lifecycle.FoundStale, Severity: lifecycle.SeverityLow, Of: lifecycle.KindBaseRole, Role: "limited_user", Reducible: true}
	for i := range 12 {
		one := found(i, lifecycle.FoundStale, fmt.Sprintf("Idle %c", 'A'+i))
		one.Account.BaseRole, one.From, one.Note = lifecycle.RoleResponder, "limited_user", "has not signed in for 120 days."
		k.Findings = append(k.Findings, one)
	}
	held := previews(k.Findings, lifecycle.ReviewRevoke)
	held[2].Changes, held[2].Held = nil, "is on call, and nobody was chosen to take over"
	bad := hostileBundle(7, 100)
	keep := previews(k.Findings[:2], lifecycle.ReviewKeep)
	choice := func(what lifecycle.Review) bulkChoice {
		return bulkChoice{what: what, until: noon.AddDate(0, 1, 0), ids: []lifecycle.FindingID{"fnd_1"}, at: place{"D0MARCO", "1.1"}, opened: "1777896000"}
	}
	paused := f
	paused.mode = lifecycle.Observe
	for name, v := range map[string]slack.ModalViewRequest{
		"bulk":               bulkModal(k, itemsOf(k.Findings), f, meta),
		"bulk_observing":     bulkModal(k, itemsOf(k.Findings), paused, meta),
		"bulk_hostile":       bulkModal(bad, itemsOf(bad.Findings), f, meta),
		"bulkconfirm_revoke": confirmModal(choice(lifecycle.ReviewRevoke), held, "Nobody uses these.", f),
		"bulkconfirm_keep":   confirmModal(choice(lifecycle.ReviewKeep), keep, "They cover August.", f),
		"bulkconfirm_bad":    confirmModal(choice(lifecycle.ReviewReduce), previews(bad.Findings, lifecycle.ReviewReduce), "<!channel>", f),
		"finding_keep":       findingModal(previews(k.Findings[:1], lifecycle.ReviewKeep)[0], lifecycle.ReviewKeep, f, meta),
		"finding_reduce":     findingModal(previews(k.Findings[:1], lifecycle.ReviewReduce)[0], lifecycle.ReviewReduce, f, meta),
		"finding_hostile":    findingModal(previews(bad.Findings, lifecycle.ReviewRevoke)[0], lifecycle.ReviewRevoke, f, meta),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, "modal/"+name+".txt", []byte(v.Title.Text+"\n\n"+readBlocks(t, v.Blocks.BlockSet)+"\n["+v.Submit.Text+"] ["+v.Close.Text+"]\n"))
			if len(v.Blocks.BlockSet) > maxView || len(encoded(t, v)) > 2*maxViewSize || len(v.PrivateMetadata) > 3000 {
				t.Errorf("it has %d blocks, %d bytes, %d of metadata", len(v.Blocks.BlockSet), len(encoded(t, v)), len(v.PrivateMetadata))
			}
		})
	}
}

func TestAHundredFindingsFitIntoWhatAModalRemembers(t *testing.T) {
	t.Parallel()
	k := bulkChoice{what: lifecycle.ReviewReduce, until: time.Unix(1780000000, 0).UTC(), at: place{"C0123456789A", "1777896000.123456"}, opened: "1777896000"}
	for i := range bulkMost {
		k.ids = append(k.ids, lifecycle.FindingID(fmt.Sprintf("fnd_%026d", i)))
	}
	meta := k.encode()
	if len(meta) > 3000 {
		t.Errorf("it takes %d characters", len(meta))
	}
	got, err := decodeBulk(meta)
	if err != nil || len(got.ids) != bulkMost || got.ids[99] != k.ids[99] || !got.until.Equal(k.until) || got.at != k.at || got.opened != k.opened || got.what != k.what {
		t.Errorf("got %+v %v", got, err)
	}
	for _, broken := range []string{"", "revoke;|C|1|2", "sell;|C|1|2|a", "keep;x|C|1|2|a"} {
		if _, err := decodeBulk(broken); err == nil {
			t.Errorf("%q was read", broken)
		}
	}
}
