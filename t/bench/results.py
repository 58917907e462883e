"""What was measured, beside what is aimed at, as a table."""
import dataclasses
import statistics

from states import AGAIN, MODULE, PLAIN, RIVALS, STATES


@dataclasses.dataclass
class Measure:
    """One line.  How a state compares with plain: 'ratio' and 'times' by the
    middle of the ratios within the rounds, 'more' by the middle of the
    differences; 'value' is compared with the aim by itself.  An aim of 'times'
    is met, too, by what differs from plain no more than plain again does."""
    name: str
    unit: str
    how: str = 'ratio'
    aim: float = None
    digits: int = 1
    scale: float = 1
    beat: bool = True                  # peers are compared with it
    upwards: bool = False              # the larger, the better


class Results:

    def __init__(self):
        self.measures, self.values = {}, {}

    def add(self, measure, state, turn, value):
        self.measures.setdefault(measure.name, measure)
        found = self.values.setdefault(measure.name, {})
        found.setdefault(state, {})[turn] = value

    def middle(self, name, state):
        return statistics.median(self.values[name][state].values())

    def compared(self, name, state, base=PLAIN):
        """The middle over the rounds that both states had, or None."""
        found = self.values[name]
        a, b = found.get(state, {}), found.get(base, {})
        both = [(a[n], b[n]) for n in a if n in b]
        if not both:
            return None
        if self.measures[name].how == 'more':
            return statistics.median(x - y for x, y in both)
        if not all(y for x, y in both):
            return None
        return statistics.median(x / y for x, y in both)

    def cell(self, name, state):
        m = self.measures[name]
        if state not in self.values[name]:
            return '–'
        text = number(self.middle(name, state) / m.scale, m.digits)
        if state in (PLAIN, MODULE) or m.how == 'more':
            return text
        r = self.compared(name, state)
        return text if r is None else '%s (%.2f)' % (text, r)

    def difference(self, name):
        m = self.measures[name]
        r = self.compared(name, MODULE)
        if r is None:
            return ''
        if m.how == 'more':
            return '{:+,.{}f}'.format(r / m.scale, m.digits)
        return '%.2f' % r

    def aim(self, name):
        m = self.measures[name]
        if m.aim is None:
            return ''
        sign = '≥' if m.upwards else '≤'
        if m.how == 'more':
            return sign + ' +' + number(m.aim / m.scale, m.digits)
        if m.how == 'value':
            return sign + ' ' + number(m.aim / m.scale, m.digits)
        return '%s %.2f' % (sign, m.aim)

    def met(self, name):
        """Whether the module reaches the aim; and what says that it is not
        the module that was measured."""
        m = self.measures[name]
        if MODULE not in self.values[name]:
            return ''
        value = self.middle(name, MODULE) if m.how == 'value' \
            else self.compared(name, MODULE)
        if value is None:
            return ''
        words = []
        if m.aim is not None:
            words.append('yes' if (value >= m.aim if m.upwards
                                   else value <= m.aim) else 'no')
        again = self.compared(name, AGAIN)
        if again is not None and m.how in ('ratio', 'times'):
            noise = abs(again - 1)
            if words == ['no'] and m.how == 'times' and value <= again:
                words = ['yes']
            if noise and abs(value - 1) <= noise:
                words.append('inside the noise of plain again')
        return ', '.join(words)

    def ahead(self, name):
        """The peers that do the same with no more than the module."""
        m = self.measures[name]
        if not m.beat:
            return ''
        found = []
        for peer, rival in RIVALS.items():
            r = self.compared(name, rival, peer)
            if r is None:
                continue
            if m.how == 'more':
                better = r < 0
            else:
                better = r > 1 if m.upwards else r < 1
            if not better:
                found.append(peer)
        return ', '.join(found)

    def rows(self):
        for name, m in self.measures.items():
            yield ['%s, %s' % (name, m.unit) if m.unit else name,
                   *[self.cell(name, s) for s in STATES],
                   self.difference(name), self.aim(name), self.met(name),
                   self.ahead(name)]

    def table(self):
        head = ['', *STATES, 'module to plain', 'aim', 'met',
                'not beaten']
        return lines(head, self.rows())


def number(value, digits):
    return '{:,.{}f}'.format(value, digits)


def lines(head, rows):
    """The lines of a table, as markdown."""
    yield '| ' + ' | '.join(head) + ' |'
    yield '|' + ' --- |' * len(head)
    for row in rows:
        yield '| ' + ' | '.join(row) + ' |'
