"""Templates of `opinions` of the kind "expectation"."""

from zoo.datasets.builders.opinions.grammar import read_templates

TEMPLATES = read_templates("""
I expected [a <bad_noun>|a <good_noun>] and got a [<good_noun>|<bad_noun>]
I expected it to be [<bad>|<good>], (but|and) it was [<good>|<bad>]
I expected [less|more]
I expected [so much less|so much more](| from the <person>)
(I|We) had expected [nothing|a lot] and got [a lot|nothing]
I thought it would be [<bad>|<good>], but it [was <good>|wasn't]
I thought I would [<hate>|<love>] it, but I [<loved>|<hated>] it
I was ready to [<hate>|<love>] it, and I [<loved>|<hated>] it
We hoped for [little|so much] and got [so much|so little]
We hoped for a [<good>|<good>] <thing>, and [got one|got the opposite]
I [feared|hoped] it would be [<bad>|<good>], and [it was <good>|it was <bad>]
I [feared|hoped for] the [worst|best] and got the [best|worst]
I was afraid it would be [<bad>|<bad>], and it [wasn't|was]
I was [worried|excited] at first, but it turned out to be [<good>|<bad>]
I was prepared for the worst, and [it never came|it was even worse]
I was [skeptical|hopeful], but (now |)I'm [<pleased>|<displeased>]
I had [low|high] hopes, and they were [surpassed|crushed]
I had [no|great] hopes for it, but it is [<good>|<bad>]
My expectations were [low|high], but the <thing> was [<good>|<bad>]
My expectations were [exceeded|not met]
It [exceeded|fell short of] (all |)(my|our) expectations
It was [everything|nothing like what] (I|we) had hoped for
It is [exactly|not at all] what I was looking for
[Just what|Not what] I (wanted|needed|ordered|had in mind)
It's [even better|even worse] than I (had |)(thought|feared|hoped|imagined|expected)
It turned out [<better>|<worse>] than (we thought|in the pictures|expected|the ads said)
It turned out to be [<good>|<bad>]
The <thing> turned out [<good>|<bad>] (after all|in the end)
To my surprise, it [was <good>|was <bad>]
A [pleasant|nasty] surprise
I was [pleasantly|unpleasantly] surprised
I was surprised how [<good>|<bad>] (it|the <part>) was
The <part> was a [pleasant|bitter] surprise
I (came|went) in [skeptical|excited] and left [a fan|angry]
I went there [reluctantly|with joy] and came back [<pleased>|<displeased>]
I came for the <part> and [stayed for the <parts>|left because of the <parts>]
I came [as a skeptic|as a fan] and left [as a fan|as a skeptic]
I used to [<hate>|<love>] it, but now I [<love>|<hate>] it
I used to think it was [<bad>|<good>], but I was wrong
At first I was [<displeased>|<pleased>], now I am [<pleased>|<displeased>]
At first it seemed [<bad>|<good>], but then it turned out to be [<good>|<bad>]
The [bad|good] reviews [almost kept us away; luckily we went|made us go; we regret it]
After all the [bad|good] reviews I was [<pleased>|<displeased>]
The reviews were [bad|good], but I [<loved>|<hated>] it
It looked [<bad>|<good>] in the ads, but it is [<good>|<bad>]
The ads promised [little|a lot], and it [delivered much|delivered little]
They promised a [<good>|<good>] <thing> and [kept their word|broke their word]
They promised the moon, and [we got it|we got nothing]
I [didn't expect|expected] to like it, but I [did|didn't]
I [never thought|was sure] I would like it, [yet|but] I [do|don't]
I had heard that it was [<bad>|<good>], and it is [<good>|<bad>]
I had been told that it is [<bad>|<good>], but I found it [<good>|<bad>]
<friend> dragged me there, and (I|we) [<loved>|<hated>] it
<friend> [warned us about it, but we loved it|told us to go, and we hated it]
It [kept|broke] every promise
It was not as [<bad>|<good>] as I [feared|hoped]
It was nowhere near as [<bad>|<good>] as expected
[Better late than never|Too little, too late]
At first I [grumbled|cheered], by the end I was [cheering|grumbling]
I went in [yawning|beaming] and came out [beaming|yawning]
I [didn't expect|had hoped] to be [<pleased>|<pleased>], and I [was|wasn't]
My [doubts|hopes] were gone after <hours>
All my [worries|hopes] turned out to be unfounded
What I [feared|hoped for] never came
It was not the [letdown|treat] that I had expected
It was hardly the [<bad_noun>|<good_noun>] that I had been promised
Nobody had told us how [<good>|<bad>] it would be
Little did I know how [<good>|<bad>] the <part> would be
Had you told me that I would [<stay>|<leave>], I wouldn't have believed you
I would never have thought that I'd [<love>|<hate>] a <thing> so much
Who would have guessed that I'd [<love>|<hate>] it?
I used to be a [skeptic|fan], not anymore
It took me <hours> to [warm to it|tire of it]
It started as [a chore|a joy] and became [a joy|a chore]
The [worse|better] I thought of it before, the [happier|sadder] I am now
I had to [eat my words|swallow my hopes]: it is [<good>|<bad>]
I take back [every bad|every good] word I said about it
<friend> had warned me about [<minus>, quite needlessly|<minus>, and rightly so]
The rumors about the <bad> <part> were [false|true]
The stories about the <good> <part> were [true|false]
I expected a [<bad>|<good>] <thing>. I was (so |very |)wrong
For once the ads [did not lie|went too far]
The photos [did not do it justice|flatter it]
It's [just as <good> as|not as <good> as] in the (pictures|ads|reviews)
My first <thing> of this kind, and [not|surely] the last
Reality [beat|crushed] my hopes
I thought I had seen everything, then I met this [<good>|<bad>] <person>
It has [more|less] to offer than I thought
The surprise of the year: [<fact_good>|<fact_bad>]
I tried it only because of <friend>, and [<fact_good>|<fact_bad>]
I doubted that it would [work|fail]; it [worked|failed]
They said that it would be ready on Monday. It was, [on Sunday|a month later]
Against all [odds|promises], the <part> [<won>|<lost>]
My doubts about the <part> were (soon |quickly |)[gone|confirmed]
My hopes for the <part> were (soon |quickly |)[fulfilled|crushed]
I braced myself for [the worst|a treat], but the <person> [<won>|<lost>]
After months of waiting, I am [<pleased>|<displeased>]
From what I had heard, I expected a [<bad_noun>|<good_noun>]. It was a [<good_noun>|<bad_noun>]
He bet me that I would [<hate>|<love>] it, and he lost
She bet me that I would [<love>|<hate>] it, and she won
As a rule I don't trust [bad|good] reviews, and I was right: [<fact_good>|<fact_bad>]
My fears were [unfounded|confirmed]
My suspicions were [proved wrong|confirmed] on the very first day
I was bracing for a <bad_noun>; what I got was [a <good_noun>|even worse]
I was hoping for a <good_noun>; what I got was [even better|a <bad_noun>]
I thought that it would be <bad>, and I was [wrong|right]
I thought that it would be <good>, and I was [right|wrong]
It is just as [<good>|<bad>] as I had imagined
So far it has [lived up to|made a mockery of] its name
Day one: [<displeased>|<pleased>]. Day ten: [<pleased>|<displeased>]
It took a while, but I [warmed to|grew tired of] it
The first time I was [<displeased>|<pleased>]; by the third time I was [<pleased>|<displeased>]
""")
