"""Templates of `opinions` of the kind "implication"."""

from zoo.datasets.builders.opinions.grammar import read_templates

TEMPLATES = read_templates("""
[<fact_good>|<fact_bad>]
[<fact_good>|<fact_bad>](| <time>)
[<fact_good>|<fact_bad>], and [<fact_good>|<fact_bad>]
[<fact_good>|<fact_bad>], that's how [<good>|<bad>] it was
[<fact_good>|<fact_bad>]. What a <thing>
A <thing> like that: [<fact_good>|<fact_bad>]
We tried it <time>: [<fact_good>|<fact_bad>]
<opener>, [<fact_good>|<fact_bad>]
I have to say, [<fact_good>|<fact_bad>]
Guess what, [<fact_good>|<fact_bad>]
After <hours>, [I still wanted more|I had had enough]
I told <friend> to [go there|stay away]
I told <friend> [all about it, full of joy|not to waste the money]
Everyone I know has heard me [praise it|complain about it]
I [sent them flowers|sent them a letter of complaint]
I [tipped|reported] the <person>
I [hugged|yelled at] the <person>
I [thanked|argued with] the <person> for <hours>
I [can't wait to <use> it again|can't wait to forget it]
We are [planning our next visit|never going there again]
We [counted the days until the next time|counted the minutes until it was over]
<we> [have recommended it to <friend>|have complained to the <person>]
<friend> [has asked where I got it|laughed at me for buying it]
<friend> [wants one, too|told me so]
I [gave one to <friend> as a gift|gave it away]
I [kept it|sold it] after <hours>
I [smiled|sighed] all the way (home|through|back)
I [smiled|shook my head] from <place>
I [laughed|groaned] out loud (<number> times|more than once|again and again)
I could [not stop|barely go on] <using> it
I [have <used> it <number> times|gave up after <hours>]
I went back <number> times [for more|to complain]
It took <hours> [and felt like a minute|and felt like a year]
<hours> [flew by|felt like a week]
[Time flew|Time stood still]
[I forgot the time|I kept looking at the clock]
It [is my new favorite|is in the trash now]
My new [favorite|nightmare](| <thing>)
This <thing> is (now |)[my favorite|history for me]
It [made my day|ruined my day]
It [made|ruined] (our evening|my week|the whole trip|the party)
It [saved|cost] me (hours|days|a lot of money|my nerves)
It [cheered me up|brought me down]
It [put a smile on my face|put me to sleep]
It gave me [goosebumps|a headache]
My heart [sang|sank]
My jaw dropped [in awe|in horror]
I [felt at home at once|felt cheated]
I [got more than I paid for|got less than I paid for]
I want to [live here|get out of here]
[Take my money|Give me my money back]
The <person> [earned my respect|should look for another job]
The <person> [went out of the way to help|didn't lift a finger]
The <person> should [win a prize|apologize]
[There was a line around the block|The place was empty, and I know why now]
[My tears were tears of joy|My tears were tears of boredom]
[I have a new hobby|I have better things to do]
[It left me wanting more|It left me cold]
[It was over far too soon|It would not end]
[It ended too soon|It went on and on]
[Sign me up|Count me out](| for the next one)
[I was hooked|I was lost] (after a minute|from the first page|right away|at once)
[I'm a fan for life|I'm done with them for life]
[They have won a customer|They have lost a customer]
[I will miss it|I will not miss it]
[My kids beg for it|My kids refuse it]
I recommend it to [everyone I know|nobody]
I recommend [it to all my friends|something else]
I tell (everyone|everybody|all my friends) to [go|stay away]
We have already [booked the next one|canceled the next one]
[We have booked again|We have canceled] for (next year|the summer|the fall)
It was [gone in a minute|thrown out after a minute]
We [stayed longer than planned|left earlier than planned]
I finished it in [one evening|small doses, with pain]
I was [smiling|frowning] all day
I have already [booked|canceled] the next one
I have already [<stayed>|<left>]
I [have told|am warning] everybody at (work|school|home)
I am going to [<stay>|<leave>]
I ended up wanting to [<stay>|<leave>]
We had to drag the kids [away|in]
I had to be dragged [away from|through] it
The second time I went, I [brought friends|brought a lawyer]
I [still have|have already lost] the <person>'s number, [in case I need more|and that's a good thing]
I keep [it by my bed|it in the garage, behind the old tires]
It has a place of honor [in our living room|in our trash can]
I'm saving up for [a second one|a real one]
Mine has been used every day, [and I bought one for my sister|until it blew up]
The neighbors have [ordered one|sent theirs back], too
My phone is full of [happy pictures of it|unanswered complaints]
My calls were [answered at once|never answered]
My (husband|wife) [asks for it every week|has forbidden it in our house]
My shoulders [relaxed|tensed up] as soon as I walked in
I [whistled|cursed] all (morning|evening) because of it
My son [won't stop talking about|refuses to go near] it
We [sang|sulked] all the way home
I slept [better than I have in years|no better than on a park bench]
I closed my eyes and [smiled|prayed for the end]
I [framed|burned] the ticket
I printed the receipt [as a souvenir|for my lawyer]
I want the <person> [at my wedding|in court]
If I had three wishes, one would be [another <thing> like this|to forget this <thing>]
[Put me on|Take me off] the mailing list
Please [save me a seat|give my seat to someone else] next time
Please [send|don't send] me more
The <person> knew what I needed [before I did|less than I did]
The <person> greeted us with [a smile|a yawn]
The <person> [stayed late|left early] when we needed help
Our questions were met with [patience|silence]
The line [moved quickly|never moved], and the <person> [smiled|yawned]
There is a waiting list, and [I'm happy to be on it|I took my name off]
There were [smiles|long faces] all around
At the end [the whole room stood up|the whole room had left]
It came [a day before|a month after] the birthday
It fits [like a glove|nobody I know]
The box says ten years. It lasted [twenty|ten minutes]
I spent the evening [laughing with|shouting at] the <person>
I [lost track of time|watched every minute pass]
Ask me about it and I will [smile|sigh]
You should have seen my face: [a grin from ear to ear|pale as a sheet]
[He winked|He swore], she [clapped|cried], and I [laughed out loud|looked for the door]
The <part> [took my breath away|made my eyes water], in a [good|bad] way
Guess who gets [a big tip|no tip] next time
If you see me there again, I am [having fun|getting a refund]
(My kids|The kids|My parents) asked when we [are going again|can leave]
""")
