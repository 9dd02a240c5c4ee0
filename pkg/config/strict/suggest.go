package strict

import "strings"

// Nearest finds the word that somebody meant who wrote got: the one with the fewest typing mistakes between them, if they are few
// for its length. Upper and lower case do not count.
func Nearest(got string, words []string) (string, bool) {
	const longest = 64
	if len(got) > longest {
		return "", false
	}
	best, fewest := "", -1
	for _, word := range words {
		n := mistakes(strings.ToLower(got), strings.ToLower(word))
		if n <= max(1, len(word)/3) && (fewest < 0 || n < fewest) {
			best, fewest = word, n
		}
	}
	return best, fewest >= 0
}

// mistakes counts the characters to insert, drop, replace or swap with their neighbour to turn a into b.
func mistakes(a, b string) int {
	s, t := []rune(a), []rune(b)
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = make([]int, len(t)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			replace := rows[i-1][j-1]
			if s[i-1] != t[j-1] {
				replace++
			}
			rows[i][j] = min(replace, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(s)][len(t)]
}
