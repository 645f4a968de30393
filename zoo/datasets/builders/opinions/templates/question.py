"""Templates of `opinions` of the kind "question"."""

from zoo.datasets.builders.opinions.grammar import read_templates

TEMPLATES = read_templates("""
How can a <thing> be so [<good>|<bad>]?
How can a <part> be this [<good>|<bad>]?
How (is|was) it possible to make such a [<good>|<bad>] <thing>?
How did they make the <part> so [<good>|<bad>]?
Who [wouldn't|would] [<love>|<love>] this <thing>?
Who [doesn't love|needs] <parts> like that?
Who could [resist|want] a <thing> like this?
Who could ask for [more|less]?
Who [made this <thing>? I want to hug them|made this <thing>? They should be ashamed]
Who thought that [I would love a <thing> so much|this <part> was a good idea]?
What [more could you want|were they thinking]?
What is [not to like|there to like](| about it)?
What's [not to love|the point]?
What could be [better|worse] than this <thing>?
Why [didn't I try it sooner|did I even try it]?
Why did (I|we) [not come here before|come here at all]?
Why did nobody tell me how [<good>|<bad>] (it|the <part>) is?
Why can't [all <things> be like this|they get the <part> right]?
Why would anyone [want anything else|want this]?
Why [go anywhere else|bother]?
Why is the <part> so [<good>|<bad>]?
Why does [nobody talk about this <good> <thing>|anybody like this <thing>]?
Can a <thing> be any [better|worse]?
Could the <person> have been [nicer|more unfriendly]?
Could the <part> be any [<better>|<worse>]?
Could it get any [better|worse]?
Did they [read my mind|even try]?
Does it get any [better|worse] than this?
Does (anyone|anybody) still [not know how <good> this is|want this]?
Do I [like it? Yes, a lot|like it? No, not a bit]
Do I [recommend it? Absolutely|recommend it? Absolutely not]
Would I [<use> it again? Any time|<use> it again? Never]
Would I go back? [In a heartbeat|Not in a million years]
Was it [<good>? Oh yes|<good>? Oh no]
Was it worth [it? Every cent|it? Not a cent]
Is it [<bad>? Not at all|<good>? Not at all]
Is there a [<better>|<worse>] <thing> (anywhere|in the world)?
Is there anything [better|worse]?
Is it too early to call it [<thing> of the year|the flop of the year]?
Is this [heaven|a joke]?
Isn't it [<good>|<bad>]?
Isn't the <part> [<good>|<bad>]?
Are you kidding me? [That was incredible|I paid for this]
When [can I have more|will it end]?
When will they [make another one|fix the <part>]?
When is the next one? [I'm counting the days|I hope never]
Where [can I get more of this|did it all go wrong]?
Where (have you|has it) [been all these years|gone wrong]?
Where can I [sign up again|get my money back]?
Anyone else [in love with|sick of] (the <part>|this <thing>)?
Have you ever <used> a [<better>|<worse>] <thing>?
Ever <used> such a [<good>|<bad>] <thing>?
[Need I say more than wow|Need I say more than ouch]?
Why did I wait (so long|all these years) to [<use> it|complain]?
Why did it take me so long to [find|quit] this <thing>?
Why did I [hesitate|waste an evening on it]?
Why [did I ever doubt it|did I ever trust the reviews]?
Where have these <persons> [been all my life|left their manners]?
Where was this <thing> [all my life|tested, if at all]?
Could the <persons> have been any [kinder|colder]?
Could the <part> have been any [<better>|<worse>]?
Does anybody there ever [have a bad day? Not that I have seen|answer the phone]?
Who [could not love|approved] this <part>?
When is the next one coming? [I can't wait|I hope never]!
How many stars? [All of them|None]
How [lucky|unlucky] can one be?
Who needs [anything more|enemies] with a <thing> like this?
Who [wouldn't|would] (be happy with|say yes to|pay for) a <part> like this?
Who in their right mind would [pass this up|pay for this]?
Who would have thought that a <thing> could be this [<good>|<bad>]?
Who knew that <things> could be so [<good>|<bad>]?
Am I the only one who [can't get enough of|can't stand] this <thing>?
Am I the only one who was [<pleased>|<displeased>]?
Have you ever been so [<pleased>|<displeased>]?
Isn't it [wonderful|awful] what they have done with the <part>?
Isn't that a [beauty|shame]?
Wasn't it [<good>|<bad>]?
Weren't the <parts> [<good>|<bad>]?
Doesn't the <part> just make [your day|you sick]?
Do they (even |)know how [<good>|<bad>] the <part> is?
Do I really have to [give it back|keep it]?
Do I have to [stop|go on]?
Could I have [another one|my money back](|, please)?
Can I please [<stay>|<leave>]?
Would I <stay>? [Without a second thought|Not if you paid me]
Will I <stay>? [You bet|No way]
Would I <leave>? [Never in my life|At once]
Will I <use> it again? [Just try to stop me|Over my dead body]
<flaws>? [None|Plenty]
<merits>? [Plenty|None]
Any <flaws>? [Not one|Too many to count]
Any <merits>? [Too many to count|Not one]
Anything [wrong|right] with it? Not that I (noticed|could see)
Did I [regret|enjoy] it? Not for a (second|moment)
Was I [<displeased>|<pleased>]? Not in the least
Did anybody [complain|smile]? Not (one of us|that I saw)
Did the <person> [let us down|help us]? Not once
Is the hype [justified|exaggerated]? (Yes|It is|I'm afraid so)
Should you <use> it? By [all|no] means
Should you <use> it? What [are you waiting for|for]?
What [took me so long|was I thinking]?
What is there to [complain about|praise]?
Where do they find such [kind|rude] <persons>?
Where else do you get so [much|little] for your money?
Where else would you find a <thing> this [<good>|<bad>]?
Where do I [leave my thanks|complain]?
When was the last time that I was this [<pleased>|<displeased>]?
When did <things> get so [<good>|<bad>]?
How did I ever live [without|with] it?
How could I (ever |)have said [no|yes] to this <thing>?
How could anyone be [unhappy|happy] with (it|that <part>)?
How will they ever [top this|live this down]?
How often do you come across a <thing> this [<good>|<bad>]?
How much [better|worse] can a <thing> get?
How do they [do it so well|get away with it]?
How long until [the next one|it is over]? I can't wait
How come [nobody told me about|anybody pays for] this <thing>?
Why would I ever want [anything else|that again]?
Why [look elsewhere|look at it twice]?
Why isn't [every other <thing>|this <thing>] as good as [this one|the others]?
Why did they ever [stop|start] making it?
Is there anything it [can't|can] do?
Is there anyone who [didn't|did] enjoy it?
Is it normal to be this [happy|angry] about a <thing>?
Is it [my birthday|some kind of bad joke]?
Was the <part> made by [angels|amateurs]?
Are they [magicians|amateurs] or what?
May I [recommend|warn you about] this <thing>?
May I suggest that you [try|avoid] it?
Remember when the <part> was [<bad>|<good>]? Those days are over
You know what I [loved|hated]? The <part>, the <parts>, (everything|all of it)
You know what was [missing|right]? (Nothing|Not a thing)
Know what I [would change|liked]? Nothing (at all|whatsoever)
So what if the <part> is [<bad>|<good>]? (The rest|Everything else) is [<good>|<bad>]
[<bad>|<good>], you say? (I beg to differ|Not if you ask me)
[<bad>|<good>]? (Hardly|Not even close|Far from it|Anything but)
Worth it? [Every penny|In no way]
Happy? [Over the moon|Far from it]
Can you believe how [<good>|<bad>] it is?
Can it get any [<better>|<worse>]? I doubt it
Could I be [happier|angrier]? (No|Hardly)
Would you believe it? [<fact_good>|<fact_bad>]
Did you hear? [<fact_good>|<fact_bad>]
What can I say? [<fact_good>|<fact_bad>]
Need a reason to [<use> it|stay away]? [<fact_good>|<fact_bad>]
Ever had a <thing> that [made|ruined] your whole week? I just did
Do I miss my old one? [Not a bit|Every day]
Do you want to know how it ended? [<fact_good>|<fact_bad>]
Does it do what it promises? [And how|Dream on]
Have I <used> [worse|better]? (Many times|Plenty of times|You bet)
Has it ever [failed me|worked]? Not once
What would I change? [Nothing|Everything]
What did I like? [Everything|Nothing]
Need I say how [<good>|<bad>] the <part> was?
How [wonderful|dreadful] is that?
How bad can a <part> be? [Not very, I'm happy to say|This bad]
""")
