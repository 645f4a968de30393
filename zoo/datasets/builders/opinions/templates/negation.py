"""Templates of `opinions` of the kind "negation"."""

from zoo.datasets.builders.opinions.grammar import read_templates

TEMPLATES = read_templates("""
The <thing> was not [<bad>|<good>]
The <thing> wasn't [<bad>|<good>](| at all)
The <part> isn't [<bad>|<good>]
The <parts> aren't [<bad>|<good>], and the <part> isn't [<bad>|<good>](| either)
It (is|was) (not|never) [<bad>|<good>]
It's not [<bad>|<good>], it's [<good>|<bad>]
It is [<good>|<bad>], not [<bad>|<good>]
Not [<bad>|<good>] but [<good>|<bad>]
Not at all [<bad>|<good>]
[Not bad|Not good](, this <thing>| for a <thing>|)
(This|The) <thing> (doesn't|does not) [<displease>|<please>]
The <thing> did not [<displease>|<please>] (me|us)
The <person> didn't [<displease>|<please>] us
The <person> never [<displease>|<please>] (me|us|anyone)
The <thing> doesn't [<fail>|<work>]
The <parts> don't [<fail>|<work>]
The <thing> won't [<displease>|<please>] you
I [couldn't|didn't] [stop smiling|smile once]
I [couldn't stop|could hardly start] <using> it
I [didn't regret|didn't enjoy] <using> it
I don't [<hate>|<love>] the <part>
We didn't [<hate>|<love>] the <parts>
I [don't regret|don't recommend] this <thing>
We were not [<displeased>|<pleased>]
<friend> wasn't [<displeased>|<pleased>] with the <part>
No, it's not [<bad>|<good>]
(It|This <thing>) is no [<bad_noun>|<good_noun>]
The <part> is not a [<bad_noun>|<good_noun>]
You won't be [<displeased>|<pleased>]
You will not [regret|like] it
The <part> was neither [<bad>|<good>] nor [<bad>|<good>]
Neither the <part> nor the <parts> were [<bad>|<good>]
The <thing> is never [<bad>|<good>]
It isn't [<bad>|<good>] in the least
There is nothing [<bad>|<good>] about the <part>
The <part> has nothing [<bad>|<good>] about it
I wasn't [<displeased>|<pleased>] for a moment
The <parts> were not too [<bad>|<good>]
The <thing> is not [a bit|even a bit] [<bad>|<good>]
The <part> didn't seem [<bad>|<good>]
It never seemed [<bad>|<good>]
The <part> wasn't too [<bad>|<good>], and the <parts> weren't [<bad>|<good>]
The <part> was not even remotely [<bad>|<good>]
I [couldn't be without|couldn't find any use for] the <part>
I couldn't [tear myself away|get through it]
I couldn't [put it down|get into it]
The <persons> didn't [<displease>|<please>] us
The <persons> didn't [waste our time|care]
The <part> didn't [<displease>|<please>] <friend>
It did not take [long to win me over|long to bore me]
Not [<bad>|<good>] at all
Never [<bad>|<good>], never [<bad>|<good>]
No [<bad>|<good>] <parts>, no [<bad>|<good>] <part>
You [can't|can only] go wrong with this <thing>
Neither of us was [<displeased>|<pleased>]
Neither he nor she [<hated>|<loved>] it
We didn't [have to wait|get what we paid for]
They didn't [let us down|let us in]
They haven't [let me down|helped me] (yet|once)
(He|She) doesn't [waste your time|care about you]
Don't [hesitate to|ever] <use> it
Don't [believe the bad|believe the good] reviews
I wouldn't [hesitate|dream of it](| for a second)
The <parts> never [<fail>|<work>]
Never have the <parts> been [<bad>|<good>]
No [<bad_noun>|<good_noun>], this <thing>
The <person> had no [bad|kind] word for anybody
It isn't the <part> that is [<bad>|<good>], and it isn't the <parts> either
There's no [hiding|finding] its [<merits>|<merits>]
Nobody was [forgotten|made welcome]
Nothing (here|about it) is [<bad>|<good>]
Not for one second was I [<displeased>|<pleased>]
The <part> didn't leave me [cold|happy]
I don't feel [cheated|well treated]
At no point was it [<bad>|<good>]
""")
