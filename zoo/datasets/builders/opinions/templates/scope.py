"""Templates of `opinions` of the kind "scope"."""

from zoo.datasets.builders.opinions.grammar import read_templates

TEMPLATES = read_templates("""
I don't think (that |)it's [<bad>|<good>]
I don't think that the <thing> is [<bad>|<good>]
I don't think the <part> could be [<better>|<worse>]
I do not (think|believe|feel) that the <parts> are [<bad>|<good>]
I don't believe that it is a [<bad>|<good>] <thing>
I don't believe anybody could [<hate>|<love>] it
I don't believe (a word of |)the [<bad>|<good>] reviews
I can't imagine anyone [<displeased>|<pleased>] with this <thing>
I can't imagine that anybody would [<hate>|<love>] it
I wouldn't say (that |)it's [<bad>|<good>]
I would not (say|claim) that the <part> is [<bad>|<good>]
I wouldn't call it [<bad>|<good>]
I wouldn't call the <part> [<bad>|<good>]
I would never call this <thing> [<bad>|<good>]
I would hardly call it [<bad>|<good>]
You can't call it [<bad>|<good>]
(You|One) can't say that the <part> is [<bad>|<good>]
Nobody can say that it's [<bad>|<good>]
Nobody would call the <parts> [<bad>|<good>]
No one thinks that the <thing> is [<bad>|<good>]
It isn't true that the <part> is [<bad>|<good>]
It is not true that it is [<bad>|<good>]
It's false that the <thing> is [<bad>|<good>]
It's a lie that the <parts> are [<bad>|<good>]
It's a myth that this <thing> is [<bad>|<good>]
It's wrong to call the <part> [<bad>|<good>]
It is (untrue|nonsense) that the <thing> is [<bad>|<good>]
People who say it is [<bad>|<good>] are wrong
Whoever says that it's [<bad>|<good>] (is lying|hasn't <used> it|is wrong)
Anyone who calls it [<bad>|<good>] is (mistaken|a fool)
The critics call it [<bad>|<good>], and I (disagree|don't agree)
The critics call it [<good>|<bad>], and I agree
<friend> says it is [<good>|<bad>], and (that's true|so it is|I agree)
<friend> thinks it is [<bad>|<good>], but I don't
<friend> told me that it was [<bad>|<good>], (and|but) that is not true
I disagree with everyone who [<hated>|<loved>] it
I doubt that anyone will [<hate>|<love>] it
I doubt that there is a [<better>|<worse>] <thing>
I doubt you'll find a [<better>|<worse>] one
I never (thought|felt|found) (that |)the <part> was [<bad>|<good>]
I never found it [<bad>|<good>]
I have never found the <parts> [<bad>|<good>]
Not for a moment did I think it was [<bad>|<good>]
At no time was the <part> [<bad>|<good>]
I fail to see what is [<bad>|<good>] about it
I don't see what's [<bad>|<good>] about the <part>
I don't understand (why people|how anybody can) [<hate>|<love>] it
I don't get the [hate|hype]
Don't believe that it's [<bad>|<good>]
Don't let anyone tell you that it's [<bad>|<good>]
I have no doubt that it is [<good>|<bad>]
There's no doubt that the <thing> is [<good>|<bad>]
No doubt a [<good>|<bad>] <thing>
Not only is the <part> [<good>|<bad>], the <parts> are [<good>|<bad>], too
It is not only [<good>|<bad>], it is (also |)[<good>|<bad>]
It's not just [<good>|<bad>], it's [<good>|<bad>]
The <part> is not only [<good>|<bad>] but (also |)[<good>|<bad>]
I am not (convinced|persuaded) that it is [<bad>|<good>]
I was not [less than |]<pleased>
It doesn't seem [<bad>|<good>] to me
It doesn't feel [<bad>|<good>]
The <thing> did not strike me as [<bad>|<good>]
They claim it's [<bad>|<good>]. It isn't
I wouldn't say the <part> is too [<bad>|<good>]
I wouldn't say that the price is [too high|fair]
I wouldn't say the <part> is worth [less|the money]
It isn't true that the <thing> is [any worse|any good]
It isn't true that the new <thing> is any [<worse>|<better>]
I don't believe anyone could [be bored by|be happy with] it
I don't think anyone could [dislike|like] the <parts>
I never found it [hard|easy] to <use>
I never found the <part> [hard to like|easy to like]
Nobody in their right mind would call this [<bad>|<good>]
I can't agree that the <part> is [<bad>|<good>]
I don't share the [low|high] opinion of the critics
If anyone tells you it's [<bad>|<good>], don't listen
Let nobody say that the <part> is [<bad>|<good>]
They told me that it was [<bad>|<good>]. They were (so |)wrong
They warned me that it was <bad>. They were [wrong|right]
They swore that it was <good>. They were [right|wrong]
He says it's <bad>, and he is [mistaken|right]
She says it's <good>, and she is [right|mistaken]
I [don't|do] believe those who say that it's <bad>
I [do|don't] believe those who say that it's <good>
It is [wrong|right] that people call it <bad>
It is [right|wrong] that people call it <good>
I [disagree|agree] with everyone who calls the <part> <bad>
I [agree|disagree] with everyone who calls the <part> <good>
The reviews say <bad>. I say [<good>|amen]
The reviews say <good>. I say [amen|<bad>]
It's [unfair|only fair] to call it a <bad_noun>
It's [only fair|unfair] to call it a <good_noun>
The claim that the <part> is <good> is [true|false]
The claim that the <part> is <bad> is [false|true]
I [no longer|now] think that it's <bad>
I [still|no longer] think that it's <good>
<friend> insists that it's [<bad>|<good>]. I beg to differ
Nobody has convinced me yet that it's [<bad>|<good>]
I'd have to be blind to call the <part> [<bad>|<good>]
Only a fool would call it [<bad>|<good>]
Whoever finds it [<bad>|<good>] must have <used> a different one
I take back that I called it [<bad>|<good>]
I was wrong to call it [<bad>|<good>]
Contrary to what <friend> says, the <part> is not [<bad>|<good>]
It's only my (brother|boss|uncle|neighbor) who finds it [<bad>|<good>]; all of us [<loved>|<hated>] it
I refuse to believe that it is [<bad>|<good>]
One could not honestly call it [<bad>|<good>]
I don't buy that it's [<bad>|<good>]
It's hard to see how anyone could [<hate>|<love>] it
I beg to differ with those who [<hate>|<love>] it
I can't agree that the <part> [<lost>|<won>]
It isn't true that the <part> [<lost>|<won>]
Nobody could honestly say that the <part> [<lost>|<won>]
Some say that the <part> [<lost>|<won>]; I disagree
She claims that the <thing> [<lost>|<won>]. Don't believe her
""")
