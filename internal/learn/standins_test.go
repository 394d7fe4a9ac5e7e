package learn_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hsharness/hsharness/internal/mockapi/catalogue"
)

// standIn is a service with shapes of its own for one operation.
type standIn struct {
	name, path string
	// ask is the i-th request: its body and headers.
	ask func(i int) (string, http.Header)
	// answer is what the service says. It sees the request's body and language.
	answer func(s *standIn, body map[string]any, language string) (int, string)
	schema string
	header http.Header
	// bad are requests that it refuses, and how the mock answers what is as wrong.
	bad []badAsk

	served atomic.Int64
}

type badAsk struct{ bought, unseen string }

var goods = strings.Split("cotton t-shirt|laptop computer|wool scarf|leather handbag|ceramic coffee mug|stainless steel water bottle|running shoes|wooden chair|"+
	"led desk lamp|shampoo|toothbrush|bicycle helmet|acoustic guitar|kitchen knife|backpack|sunglasses|wrist watch|yoga mat|dog collar|candle|umbrella|"+
	"phone case|headphones|bluetooth speaker|garden hose|paint brush|pillow|bath towel|baby stroller|board game", "|")

var colours = strings.Split("red blue green black white grey pink", " ")

// goodsNo is the i-th of many descriptions; those of five and more were never bought.
func goodsNo(i int) string {
	return colours[i%len(colours)] + " " + goods[i%len(goods)] + " no " + strconv.Itoa(i)
}

var places = []string{"US", "DE", "US", "FR", "DE"}

func place(i int) string { return places[i%len(places)] }

func text(v any) string { s, _ := v.(string); return s }

// kinds are the codes for a description, n of them.
func kinds(description string, n int) []catalogue.Match {
	found := catalogue.Default().Search(description, n)
	for i := 0; len(found) < n; i++ {
		code := catalogue.Default().Codes()[i]
		kind, _ := catalogue.Default().Find(code)
		found = append(found, catalogue.Match{Kind: kind, Confidence: 0.05})
	}
	return found
}

func uuid(seed string) string {
	sum := sha256.Sum256([]byte(seed))
	h := hex.EncodeToString(sum[:])
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:32]
}

func quoted(s string) string { b, _ := json.Marshal(s); return string(b) }

func standIns() []*standIn {
	return []*standIn{
		{
			name: "nested predictions, numbers as text, codes with dots", path: "/hscode/classify",
			ask: func(i int) (string, http.Header) {
				reference := ""
				if i%2 == 0 {
					reference = fmt.Sprintf(`,"reference":"order-%d"`, i)
				}
				return fmt.Sprintf(`{"product":{"title":%q,"category":"things for people"},"shipTo":%q,"shipFrom":"CN"%s}`, goodsNo(i), place(i), reference), nil
			},
			answer: func(s *standIn, body map[string]any, _ string) (int, string) {
				product, _ := body["product"].(map[string]any)
				title := text(product["title"])
				if title == "" {
					return 422, `{"fault":{"kind":"MissingField","field":"product.title"}}`
				}
				if to := text(body["shipTo"]); to == "XX" || to == "QQ" {
					return 400, fmt.Sprintf(`{"fault":{"kind":"UnknownCountry","field":"shipTo","text":"There is no country '%s'."}}`, to)
				}
				n := s.served.Add(1)
				var list []string
				for i, k := range kinds(title, 3) {
					d := k.HS6 + "0000"
					list = append(list, fmt.Sprintf(`{"rank":%d,"tariff":{"code":"%s.%s.%s.%s","level":10},"score":"%.2f","text":%s}`,
						i+1, d[:4], d[4:6], d[6:8], d[8:10], k.Confidence, quoted(k.Name)))
				}
				reference := ""
				if r, ok := body["reference"]; ok {
					reference = `,"reference":` + quoted(text(r))
				}
				return 200, fmt.Sprintf(`{"meta":{"requestId":"%s","at":"%s","model":"hs-2.3.1"%s},"result":{"predictions":[%s],"count":3,"final":true},"warnings":[],"next":null}`,
					uuid(fmt.Sprint("a", n)), time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00"), reference, strings.Join(list, ","))
			},
			schema: `{"type":"object","additionalProperties":false,"required":["meta","result","warnings","next"],"properties":{
				"meta":{"type":"object","additionalProperties":false,"required":["requestId","at","model"],"properties":{
					"requestId":{"type":"string","pattern":"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
					"at":{"type":"string","pattern":"^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$"},"model":{"const":"hs-2.3.1"},"reference":{"type":"string","pattern":"^order-\\d+$"}}},
				"result":{"type":"object","additionalProperties":false,"required":["predictions","count","final"],"properties":{
					"count":{"const":3},"final":{"const":true},
					"predictions":{"type":"array","minItems":3,"maxItems":3,"items":{"type":"object","additionalProperties":false,"required":["rank","tariff","score","text"],"properties":{
						"rank":{"enum":[1,2,3]},"score":{"type":"string","pattern":"^[01]\\.\\d{2}$"},"text":{"type":"string","minLength":2},
						"tariff":{"type":"object","additionalProperties":false,"required":["code","level"],"properties":{"code":{"type":"string","pattern":"^\\d{4}\\.\\d\\d\\.\\d\\d\\.\\d\\d$"},"level":{"const":10}}}}}}}},
				"warnings":{"type":"array","maxItems":0},"next":{"type":"null"}}}`,
			header: http.Header{"Content-Type": {"application/vnd.tariff+json"}, "X-Engine": {"hs-2"}},
			bad: []badAsk{
				{`{"product":{"title":""},"shipTo":"US"}`, `{"product":{},"shipTo":"DE"}`},
				{`{"product":{"title":"cotton t-shirt"},"shipTo":"XX"}`, `{"product":{"title":"wool scarf"},"shipTo":"QQ"}`},
			},
		},
		{
			name: "a flat answer with numbers, percent and digits by country", path: "/hscode/classify",
			ask: func(i int) (string, http.Header) {
				return fmt.Sprintf(`{"ware":%q,"zielland":%q,"menge":%d}`, goodsNo(i), place(i), i%3+1), nil
			},
			answer: func(s *standIn, body map[string]any, _ string) (int, string) {
				k := kinds(text(body["ware"]), 1)[0]
				to, digits := text(body["zielland"]), "00"
				if to == "US" {
					digits = "0000"
				}
				return 200, fmt.Sprintf(`{"vorgang":%d,"warennummer":"%s","kapitel":"%s","position":"%s","bezeichnung":%s,"land":"%s","menge":%v,"konfidenz":%.1f,"geprueft":false}`,
					100400+s.served.Add(3), k.HS6+digits, k.HS6[:2], k.HS6[:4], quoted(k.Name), to, body["menge"], k.Confidence*100)
			},
			schema: `{"type":"object","additionalProperties":false,"required":["vorgang","warennummer","kapitel","position","bezeichnung","land","menge","konfidenz","geprueft"],"properties":{
				"vorgang":{"type":"integer","minimum":100403},"warennummer":{"type":"string","pattern":"^\\d{8}(\\d\\d)?$"},"kapitel":{"type":"string","pattern":"^\\d\\d$"},
				"position":{"type":"string","pattern":"^\\d{4}$"},"bezeichnung":{"type":"string","minLength":2},"land":{"enum":["US","DE","FR"]},"menge":{"enum":[1,2,3]},
				"konfidenz":{"type":"number","minimum":0,"maximum":100},"geprueft":{"const":false}}}`,
		},
		{
			name: "three languages", path: "/hscode-enhanced/classify",
			ask: func(i int) (string, http.Header) {
				language := []string{"en", "de-DE", "fr", "de", "en-GB;q=0.9"}[i%5]
				return fmt.Sprintf(`{"goodsDescription":%q,"destination":%q}`, goodsNo(i), map[string]string{"US": "USA", "DE": "DEU", "FR": "FRA"}[place(i)]), http.Header{"Accept-Language": {language}}
			},
			answer: func(s *standIn, body map[string]any, language string) (int, string) {
				k := kinds(text(body["goodsDescription"]), 1)[0]
				note := map[string]string{"en": "Subject to review", "de": "Ohne Gewähr", "fr": "Sous réserve"}[language]
				extra := ""
				if text(body["destination"]) != "USA" {
					extra = `,"taric":true`
				}
				return 201, fmt.Sprintf(`{"ticket":"T-%06d-x","lang":"%s","note":%s,"classification":{"path":["%s","%s","%s"],"code":"%s","probability":%s}%s,"edition":2022}`,
					s.served.Add(17)*7919%1000000, language, quoted(note), k.HS6[:2], k.HS6[:4], k.HS6, k.HS6, strconv.FormatFloat(k.Confidence, 'f', -1, 64), extra)
			},
			schema: `{"type":"object","additionalProperties":false,"required":["ticket","lang","note","classification","edition"],"properties":{
				"ticket":{"type":"string","pattern":"^T-\\d{6}-x$"},"lang":{"enum":["en","de","fr"]},"note":{"enum":["Subject to review","Ohne Gewähr","Sous réserve"]},
				"classification":{"type":"object","additionalProperties":false,"required":["path","code","probability"],"properties":{
					"path":{"type":"array","minItems":3,"maxItems":3,"prefixItems":[{"pattern":"^\\d\\d$"},{"pattern":"^\\d{4}$"},{"pattern":"^\\d{6}$"}]},
					"code":{"type":"string","pattern":"^\\d{6}$"},"probability":{"type":"number","minimum":0,"maximum":1}}},
				"taric":{"const":true},"edition":{"const":2022}}}`,
		},
		{
			name: "a batch", path: "/hscode/classify_from_hs6",
			ask: func(i int) (string, http.Header) {
				var lines []string
				codes := catalogue.Default().Codes()
				for j := range i%3 + 1 {
					code := codes[(i*37+j*101)%len(codes)]
					lines = append(lines, fmt.Sprintf(`{"sku":"SKU-%d-%d","subheading":"%s.%s","to":%q}`, i, j, code[:4], code[4:], place(i+j)))
				}
				return fmt.Sprintf(`{"lines":[%s],"dryRun":false}`, strings.Join(lines, ",")), nil
			},
			answer: func(s *standIn, body map[string]any, _ string) (int, string) {
				lines, _ := body["lines"].([]any)
				if len(lines) == 0 {
					return 400, `{"errors":[{"code":"E17","message":"no lines"}]}`
				}
				var out []string
				for i, l := range lines {
					line, _ := l.(map[string]any)
					six := strings.ReplaceAll(text(line["subheading"]), ".", "")
					if len(six) != 6 {
						return 400, fmt.Sprintf(`{"errors":[{"code":"E18","message":"'%s' has no six digits"}]}`, text(line["subheading"]))
					}
					out = append(out, fmt.Sprintf(`{"line":%d,"sku":%s,"hs6":"%s","national":"%s %s %s","ok":true}`, i, quoted(text(line["sku"])), six, six[:4], six[4:], "00"))
				}
				return 200, fmt.Sprintf(`{"results":[%s],"total":%d,"job":{"id":"job_%s","unix":%d}}`, strings.Join(out, ","), len(out), uuid(fmt.Sprint(s.served.Add(1)))[:8], time.Now().Unix())
			},
			schema: `{"type":"object","additionalProperties":false,"required":["results","total","job"],"properties":{
				"results":{"type":"array","minItems":1,"items":{"type":"object","additionalProperties":false,"required":["line","sku","hs6","national","ok"],"properties":{
					"line":{"type":"integer","minimum":0},"sku":{"type":"string","pattern":"^SKU-\\d+-\\d+$"},"hs6":{"type":"string","pattern":"^\\d{6}$"},
					"national":{"type":"string","pattern":"^\\d{4} \\d\\d \\d\\d$"},"ok":{"const":true}}}},
				"total":{"type":"integer","minimum":1},"job":{"type":"object","additionalProperties":false,"required":["id","unix"],"properties":{
					"id":{"type":"string","pattern":"^job_[0-9a-f]{8}$"},"unix":{"type":"integer","minimum":1000000000}}}}}`,
			bad: []badAsk{
				{`{"lines":[],"dryRun":false}`, `{"lines":[],"dryRun":true}`},
				{`{"lines":[{"sku":"SKU-1-1","subheading":"61","to":"US"}],"dryRun":false}`, `{"lines":[{"sku":"SKU-7-1","subheading":"4711","to":"DE"}],"dryRun":false}`},
			},
		},
		{
			name: "a list at the root, and goods that have no code", path: "/hscode/hints",
			ask: func(i int) (string, http.Header) {
				return fmt.Sprintf(`{"q":%q,"max":5,"market":%q}`, goodsNo(i), place(i)), nil
			},
			answer: func(_ *standIn, body map[string]any, _ string) (int, string) {
				if words := strings.Fields(text(body["q"])); len(words) == 1 {
					return 404, fmt.Sprintf(`{"title":"Not classifiable","detail":"Nothing fits \"%s\"","status":404}`, words[0])
				}
				var list []string
				for i, k := range kinds(text(body["q"]), 4) {
					band := []string{"A", "B", "C", "C"}[i]
					list = append(list, fmt.Sprintf(`{"hs":"%s-%s","p":%.3f,"what":%s,"band":"%s","links":{"self":"/codes/list"}}`, k.HS6[:4], k.HS6[4:], k.Confidence*0.99, quoted(k.Name), band))
				}
				return 200, "[" + strings.Join(list, ",") + "]"
			},
			schema: `{"type":"array","minItems":4,"maxItems":4,"items":{"type":"object","additionalProperties":false,"required":["hs","p","what","band","links"],"properties":{
				"hs":{"type":"string","pattern":"^\\d{4}-\\d\\d$"},"p":{"type":"number","minimum":0,"maximum":1},"what":{"type":"string","minLength":2},"band":{"enum":["A","B","C"]},
				"links":{"type":"object","additionalProperties":false,"required":["self"],"properties":{"self":{"const":"/codes/list"}}}}}}`,
			bad: []badAsk{{`{"q":"thing","max":5,"market":"US"}`, `{"q":"stuff","max":5,"market":"DE"}`}},
		},
		{
			name: "a batch of texts with several codes each, and other names", path: "/hscode/classify",
			ask: func(i int) (string, http.Header) {
				var articles []string
				for j := range i%2 + 1 {
					articles = append(articles, fmt.Sprintf(`{"ref":"A%d","libelle":%q}`, 100*i+j, goodsNo(i+j)))
				}
				return fmt.Sprintf(`{"articles":[%s],"paysDestination":%q}`, strings.Join(articles, ","), place(i)), nil
			},
			answer: func(s *standIn, body map[string]any, _ string) (int, string) {
				articles, _ := body["articles"].([]any)
				var out []string
				for _, a := range articles {
					article, _ := a.(map[string]any)
					var list []string
					for i, k := range kinds(text(article["libelle"]), 2) {
						list = append(list, fmt.Sprintf(`{"rang":%d,"nomenclature":{"sh":"%s","tarif":"%s.%s"},"confiance":%d,"designation":%s,"taux":%d.5}`,
							i+1, k.HS6[:4], k.HS6[:4], k.HS6[4:], int(k.Confidence*100), quoted(k.Name), len(k.Name)%4))
					}
					out = append(out, fmt.Sprintf(`{"ref":%s,"propositions":[%s]}`, quoted(text(article["ref"])), strings.Join(list, ",")))
				}
				return 200, fmt.Sprintf(`{"reponse":{"uid":"%s","articles":[%s]},"pays":"%s"}`, strings.ToUpper(strings.ReplaceAll(uuid(fmt.Sprint(s.served.Add(1))), "-", "")), strings.Join(out, ","), text(body["paysDestination"]))
			},
			schema: `{"type":"object","additionalProperties":false,"required":["reponse","pays"],"properties":{"pays":{"enum":["US","DE","FR"]},
				"reponse":{"type":"object","additionalProperties":false,"required":["uid","articles"],"properties":{"uid":{"type":"string","pattern":"^[0-9A-F]{32}$"},
				"articles":{"type":"array","minItems":1,"items":{"type":"object","additionalProperties":false,"required":["ref","propositions"],"properties":{
					"ref":{"type":"string","pattern":"^A\\d+$"},"propositions":{"type":"array","minItems":2,"maxItems":2,"items":{"type":"object","additionalProperties":false,
					"required":["rang","nomenclature","confiance","designation","taux"],"properties":{"rang":{"enum":[1,2]},"confiance":{"type":"integer","minimum":0,"maximum":100},
					"designation":{"type":"string","minLength":2},"taux":{"enum":[0.5,1.5,2.5,3.5]},
					"nomenclature":{"type":"object","additionalProperties":false,"required":["sh","tarif"],"properties":{"sh":{"type":"string","pattern":"^\\d{4}$"},"tarif":{"type":"string","pattern":"^\\d{4}\\.\\d\\d$"}}}}}}}}}}}}}`,
		},
	}
}
