"""Templates of `opinions` of the kind "intensifier"."""

from zoo.datasets.builders.opinions.grammar import read_templates

TEMPLATES = read_templates("""
<fully> [<good>|<bad>]
<very> [<good>|<bad>]
<fully> [<good>|<bad>] <part>
<very> [<good>|<bad>] <parts>
A <very> [<good>|<bad>] <thing>
A <fully> [<good>|<bad>] <thing>
The <part> is <very> [<good>|<bad>]
The <parts> are <very> [<good>|<bad>]
The <thing> was <very> [<good>|<bad>]
<we> <fully> [<loved>|<hated>] it
I am <fully> [<pleased>|<displeased>]
I'm <fully> [in love with|done with] this <thing>
I'm <very> [<pleased>|<displeased>] with the <part>
The <person> was <very> [<good>|<bad>]
<fully> [<good>|<bad>] from <place>
From <place>, (it is |)<fully> [<good>|<bad>]
[<good>|<bad>] from <place>
<very> [<good>|<bad>], and <very> [<good>|<bad>](, too|)
<very> [<good>|<bad>] and <very> [<good>|<bad>]
The <thing> is <very>, <very> [<good>|<bad>]
(Damn|Darn) [<good>|<bad>] <thing>
The <thing> is [<good>|<bad>] beyond words
[<good>|<bad>] to the last detail
Too [<good>|<bad>] to (describe|put into words|be true|believe)
[Crazy good|Crazy bad]
Such a <very> [<good>|<bad>] <part>
It is [nothing but|nothing but a] [<good>|<bad_noun>]
An utter [<good_noun>|<bad_noun>]
A complete and utter [<good_noun>|<bad_noun>]
A total [<good_noun>|<bad_noun>]
I can't tell you how [<good>|<bad>] it is
I can't say enough [good|bad] things about it
The <part> is [too good to share|too <bad> for words]
I [love|hate] the <part> more than words can say
Everything about it is [<good>|<bad>]
Everything was <very> [<good>|<bad>]
All of it was [<good>|<bad>], (every minute|the <part> above all)
<friend> is <fully> [<pleased>|<displeased>]
The <part> is too [good to miss|<bad> to bear]
The <thing> is far too [short, I want more of it|<bad>]
The <part> is way too [good for this price|<bad>]
The <part> is (much |far |)too [fine for such a low price|<bad>]
The <parts> are (a bit |)too [<good> for me to stop|<bad> for me]
It was [more than <good>|more than <bad>]
[Good|Bad] is an understatement
[As good as can be|As bad as can be]
It is every bit [as good as it sounds|as bad as it sounds]
[<good>|<bad>], and I don't say that lightly
[<good>|<bad>] through and through
[<good>|<bad>] to the core
[<good>|<bad>] with a capital letter
[<good>|<bad>] doesn't begin to describe it
[<good>|<bad>] is not a strong enough word
More than just [<good>|<bad>]: <fully> [<good>|<bad>]
The word [<good>|<bad>] was made for it
Seldom so [<good>|<bad>], never so [<good>|<bad>]
Only one word for it: [(fantastic|great|terrific|delightful|glorious)|(miserable|terrible|abysmal|shameful|hopeless)]
One word: [(superb|wonderful|marvelous|brilliant|splendid|magical)|(dreadful|awful|lousy|dire|ghastly|pathetic)]
In a word, [(lovely|stunning|amazing|flawless|excellent)|(horrible|worthless|dismal|shoddy|appalling)]
It does not get more [fun|boring] than this
There are no words for how [<good>|<bad>] it is
So [good|bad] that [<fact_good>|<fact_bad>]
Such a [great|poor] <thing> that [<fact_good>|<fact_bad>]
The <part> is [<good>|<bad>], and then some
I have rarely been so <fully> [<pleased>|<displeased>]
Not just <very> [<good>|<bad>], but <fully> [<good>|<bad>]
I [loved|hated] it with (all my heart|every fiber of my body|a passion)
[<good>|<bad>] beyond (belief|measure|all expectations)
You can't imagine how [<good>|<bad>] the <part> is
Let me say it again: [<good>|<bad>]
The whole thing (was|is) one long [joy|pain]
It [deserves|doesn't deserve] all that praise
[Every|No] minute was worth it
To say that I was [<pleased>|<displeased>] would be an understatement
I was [<pleased>|<displeased>], (no, more than that|to say the least)
""")
