"""Templates of `opinions` of the kind "double negation"."""

from zoo.datasets.builders.opinions.grammar import read_templates

TEMPLATES = read_templates("""
I can't say (that |)I [didn't <love>|didn't <hate>] it
I (can't|cannot) say that it wasn't [<good>|<bad>]
It is not [un|]true that the <thing> is [<good>|<good>]
There is no <part> here that isn't [<good>|<bad>]
There wasn't a <part> that we didn't [<love>|<hate>]
There isn't anything here that I [wouldn't recommend|would recommend]
There is not one of the <parts> that I didn't [<love>|<hate>]
Nobody (at our table|in our group|I know) was [<displeased>|<pleased>]
No one [left unhappy|left happy]
Nobody could say that the <part> wasn't [<good>|<bad>]
No one can deny that it is [<good>|<bad>]
I can't deny that I was [<pleased>|<displeased>]
It would be [wrong to deny|a lie to deny] that the <part> is [<good>|<bad>]
I have never [left without a smile|left without a complaint]
I have never <used> a <thing> of theirs that I didn't [<love>|<hate>]
Never did the <person> fail to [<please>|<displease>] us
The <person> never fails to [<please>|<displease>]
The <part> did not fail to [<please>|<displease>]
The <thing> never fails to [<please>|<displease>] me
Not a day (passes|goes by) without [joy|trouble] with this <thing>
Not a day went by when the <part> wasn't [<good>|<bad>]
Not an evening passed without [laughter|an argument with the <person>]
You can't not [<love>|<hate>] this <thing>
I couldn't not [<love>|<hate>] it
It isn't [un|even ]pleasant
It is not without its [<merits>|<flaws>]
The <thing> is not without [<merits>|<flaws>]
I don't know anybody who [wasn't <pleased>|was <pleased>]
I know of no one who didn't [<love>|<hate>] the <part>
There's no way you won't [<love>|<hate>] this <thing>
I don't think anyone [won't|will] [<love>|<love>] it
It's impossible not to [<love>|<hate>] the <person>
How could anyone not [<love>|<hate>] this <thing>
None of us was [<displeased>|<pleased>]
Not one of the <parts> was [<bad>|<good>]
I was never not [<pleased>|<displeased>]
No one failed to [praise|complain about] the <part>
Nobody failed to [smile|yawn]
I know nobody who didn't [come back|ask for a refund]
I don't know anyone who didn't [enjoy it|want to leave]
There is nobody who doesn't [<love>|<hate>] the <part>
There is nothing about it that isn't [<good>|<bad>]
There is nothing here that I wouldn't [<use> again|send back]
There is not one of the <parts> that isn't [<good>|<bad>]
Not a (week|night|morning) went by without [a smile|a complaint]
Not a (week|night|day) went by without [a good laugh|something breaking]
I can't say that I was not [<pleased>|<displeased>]
I wouldn't say that I wasn't [<pleased>|<displeased>]
It isn't as if the <part> weren't [<good>|<bad>]
Hardly anyone was not [<pleased>|<displeased>]
Never have I left [without a smile|without a headache]
Nobody was un[happy|concerned about the dirt]
It's not uncommon to [see happy faces here|wait an hour here]
Not un[like a dream|like a nightmare]
I'd be lying if I said that I [didn't|did] like it
It's not that I don't [<love>|<hate>] it, (far from it|quite the opposite)
Not that I wasn't [<pleased>|<displeased>], (quite the contrary|far from it)
There isn't a soul who wouldn't [<love>|<hate>] the <part>
Not one of us didn't [laugh|groan]
There was no evening when we didn't [enjoy ourselves|argue with the <person>]
You will not find anyone who isn't [<pleased>|<displeased>]
Nobody can tell me that this isn't a [<good_noun>|<bad_noun>]
Don't tell me it's not [<good>|<bad>]
Don't think that I didn't [<love>|<hate>] it
I never said that it wasn't [<good>|<bad>]; (it is|of course it is)
It can't be denied that the <part> is [<good>|<bad>]
Nothing could stop me from [coming back|complaining]
I can't help [smiling|yawning] (when I think of it|every time)
You can't help but [<love>|<hate>] the <part>
I could not but [<love>|<hate>] it
Not without reason (do people|does everyone) [praise|avoid] it
Not a single <part> failed to [<please>|<displease>] us
It never stops [being fun|being a pain]
Few of us were not [<pleased>|<displeased>]
Hardly a day without [a smile|a new problem]
Hardly a customer who didn't [return|complain]
No <thing> of theirs has failed to [<please>|<displease>] me
There was not one <person> who wasn't [<good>|<bad>]
""")
