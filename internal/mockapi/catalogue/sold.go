package catalogue

import (
	"math"
	"strconv"
	"strings"
)

// sold is how many of 200 titles of shops are of a heading: heading:number. Their
// source and terms stand in testdata/README.md.
const sold = `
3305:2 3306:1 3307:1 3920:1 3923:2 3924:4 3926:13 4201:1 4202:8 4203:1 4421:1 4901:1 4911:8
5810:1 6104:4 6108:1 6109:5 6203:1 6204:3 6209:1 6211:5 6215:1 6301:1 6307:3 6402:8 6403:1
6404:2 6406:1 6505:1 6507:1 6702:1 6704:9 7013:1 7018:4 7020:1 7104:1 7113:5 7116:5 7117:10
7318:1 7323:1 7326:3 7415:2 7907:2 8204:1 8205:2 8207:1 8208:1 8211:2 8301:1 8306:1 8308:1
8414:1 8467:1 8483:3 8503:1 8504:2 8507:1 8509:1 8517:2 8518:3 8522:1 8524:1 8525:1 8536:1
8537:2 8540:1 8542:3 8543:1 8544:1 9015:1 9017:1 9025:1 9026:1 9030:2 9031:1 9108:1 9111:3
9114:3 9405:4 9406:1 9503:6 9504:2 9505:2 9506:1 9507:1 9603:1 9615:1`

// A heading that none of the titles is of counts by what they have of its chapter.
const (
	titlesSold = 200
	chapterIs  = 47.0 // titles that a chapter speaks for
)

// sell sets what the ranker knows of what shops sell.
func (r *ranker) sell() {
	count, chapter := parseSold(sold)
	for h, heading := range r.headings {
		r.prior[h] = int64(math.Round(unit * expected(count[heading], chapter[heading[:2]])))
	}
}

// expected is the logarithm of how many titles a heading gets to have.
func expected(heading, chapter int) float64 {
	return math.Log(float64(heading) + chapterIs*(float64(chapter)+0.5)/(titlesSold+48))
}

// parseSold reads the numbers by heading, and adds them up by chapter.
func parseSold(text string) (count, chapter map[string]int) {
	count, chapter = make(map[string]int), make(map[string]int)
	for pair := range strings.FieldsSeq(text) {
		heading, number, _ := strings.Cut(pair, ":")
		n, err := strconv.Atoi(number)
		if err != nil {
			panic("sold: " + err.Error()) // it is part of the program
		}
		count[heading] += n
		chapter[heading[:2]] += n
	}
	return count, chapter
}
