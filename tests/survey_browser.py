#!/usr/bin/python3
"""Answers the page of lsdn-evaluate --survey in Chromium, through chromedriver: once with the mouse, once with the keyboard alone.

survey_browser.py survey.html FOLDER exits with 0 where all is as it should be and leaves the two files of answers in FOLDER; with 77 where there is no browser.
"""
import html.parser
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request

ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'
TAB, ENTER, SPACE, RIGHT, SHIFT = '\ue004', '\ue007', ' ', '\ue014', '\ue008'


class Browser:
    """A WebDriver session with a profile of its own."""

    def __init__(self, folder):
        self.driver = subprocess.Popen(['chromedriver', '--port=0'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.driver.stdout:
            if 'successfully on port' in line:
                self.base = 'http://127.0.0.1:' + line.rsplit(' ', 1)[1].strip('.\n') + '/session'
                break
        options = {'args': ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--window-size=1200,1600'],
                   'prefs': {'download.default_directory': folder, 'download.prompt_for_download': False}}
        try:
            self.base += '/' + self.call('POST', '', {'capabilities': {'alwaysMatch': {'goog:chromeOptions': options}}})['sessionId']
        except BaseException:
            self.end()
            raise

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.base + path, json.dumps(body or {}).encode() if method == 'POST' else None, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as error:
            raise SystemExit('chromedriver: ' + error.read().decode()[:500])

    def run(self, script):
        return self.call('POST', '/execute/sync', {'script': script, 'args': []})

    def click(self, selector):
        element = self.call('POST', '/element', {'using': 'css selector', 'value': selector})[ELEMENT]
        self.call('POST', f'/element/{element}/click')

    def press(self, *keys):
        strokes = [{'type': kind, 'value': key} for key in keys for kind in ('keyDown', 'keyUp')]
        self.call('POST', '/actions', {'actions': [{'type': 'key', 'id': 'keys', 'actions': strokes}]})

    def text(self, identity):
        return self.run(f"return document.getElementById('{identity}').textContent")

    def end(self):
        self.driver.terminate()
        self.driver.wait()

    def close(self):
        try:
            self.call('DELETE', '')
        finally:
            self.end()


class Items(html.parser.HTMLParser):
    """What the page has: of each image its pictures, photograph, first network's map, second's."""

    def __init__(self, text):
        super().__init__()
        self.items, self.outside = {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if a.get('class') == 'item':
            self.items[a['data-image']] = []
        if tag == 'img':
            list(self.items.values())[-1].append(a['src'])
        self.outside += [v for k, v in attributes if k in ('src', 'href', 'action', 'srcset') and not v.startswith('data:')]


def expect(condition, what):
    if not condition:
        raise SystemExit('not so: ' + what)


def shown(browser, items):
    """Which image is shown, and which network's map on the left and on the right."""
    sources = browser.run("return ['photograph', 'map0', 'map1'].map(id => document.querySelector('#' + id + ' img').src)")
    image = next(name for name, pictures in items.items() if pictures[0] == sources[0])
    return image, items[image].index(sources[1]) - 1, items[image].index(sources[2]) - 1


def answer_of(place):
    """What is answered at the place-th photograph: side, reliability of the map on the left and on the right."""
    return place % 2, place % 5 + 1, (2 * place + 1) % 5 + 1


def note(browser, items, place, expected):
    image, left, right = shown(browser, items)
    expect({left, right} == {0, 1} and image not in expected, 'a photograph with both maps, once')
    side, first, second = answer_of(place)
    reliability = [0, 0]
    reliability[left], reliability[right] = first, second
    expected[image] = {'image': image, 'best': (left, right)[side], 'reliability': reliability, 'left': left}


def by_mouse(browser, items):
    expected = {}
    count = len(items)
    for place in range(count):
        expect(browser.text('where') == f'Photograph {place + 1} of {count}, {place} answered', 'progress in words: ' + browser.text('where'))
        expect(browser.run("return document.getElementById('progress').value") == place, 'progress as a bar')
        expect(browser.run('return document.querySelectorAll("input:checked").length') == 0, 'nothing is answered beforehand')
        note(browser, items, place, expected)
        side, first, second = answer_of(place)
        browser.click('#next')
        expect('three' in browser.text('missing') and f'Photograph {place + 1} ' in browser.text('where'), 'no way on without answers')
        browser.click(f'input[name=best][value="{side}"]')
        browser.click(f'input[name=reliable0][value="{first}"]')
        browser.click('#next')
        expect('three' in browser.text('missing'), 'no way on with two answers')
        browser.click(f'input[name=reliable1][value="{second}"]')
        if place == 1:  # a reload, and a step back, lose nothing
            before = shown(browser, items)
            browser.call('POST', '/refresh')
            expect(shown(browser, items) == before, 'a reload keeps the place')
            checked = 'return [...document.querySelectorAll("input:checked")].map(radio => radio.name + radio.value)'
            expect(browser.run(checked) == [f'best{side}', f'reliable0{first}', f'reliable1{second}'], 'a reload keeps the answers')
            browser.click('#back')
            side, first, second = answer_of(0)
            expect(browser.run(checked) == [f'best{side}', f'reliable0{first}', f'reliable1{second}'], 'back shows what was answered')
            expect(browser.run("return document.getElementById('back').disabled"), 'the first has none before it')
            browser.click('#next')
        browser.click('#next')
    expect(browser.run("return document.getElementById('questions').hidden && !document.getElementById('end').hidden"), 'the end comes')
    browser.click('#again')
    expect(f'{count} answered' in browser.text('where'), 'back from the end')
    browser.click('#next')
    browser.click('#save')
    return expected


def focus(browser):
    return browser.run("const e = document.activeElement; return e.id || e.name || e.tagName")


def by_keyboard(browser, items):
    expected = {}
    for place in range(len(items)):
        note(browser, items, place, expected)
        side, first, second = answer_of(place)
        if place:
            expect(focus(browser) == 'object', 'focus begins above the questions: ' + focus(browser))
        browser.press(TAB)
        expect(focus(browser) == 'best', 'Tab leads to the first question: ' + focus(browser))
        browser.press(SPACE, *[RIGHT] * side)
        for name, number in (('reliable0', first), ('reliable1', second)):
            browser.press(TAB)
            expect(focus(browser) == name, 'Tab leads to the next question: ' + focus(browser))
            browser.press(SPACE, *[RIGHT] * (number - 1))
        browser.press(ENTER)
    expect(focus(browser) == 'thanks', 'focus at the end: ' + focus(browser))
    browser.press(TAB)
    expect(focus(browser) == 'save', 'Tab leads to what saves')
    browser.press(ENTER)
    return expected


def check_accessible(browser, names):
    expect(browser.run('return [...document.querySelectorAll("input")].every(e => e.labels.length === 1 && e.labels[0].textContent.trim())'), 'labels')
    expect(browser.run('return [...document.querySelectorAll("fieldset")].every(e => e.firstElementChild.tagName === "LEGEND")'), 'legends')
    expect(browser.run('return [...document.querySelectorAll("#questions img")].every(e => e.alt)'), 'texts of pictures')
    expect(browser.run('return performance.getEntriesByType("resource").every(e => e.name.startsWith("data:"))'), 'nothing is fetched')
    seen = browser.run('return document.body.innerText + [...document.querySelectorAll("#questions img")].map(e => e.alt + e.title).join()')
    expect(not any(name in seen for name in names), 'the networks are not named')


def saved(folder, seen):
    for _ in range(100):
        new = [f for f in os.listdir(folder) if f.startswith('answers-') and f.endswith('.json') and f not in seen]
        if new:
            return os.path.join(folder, new[0])
        time.sleep(0.1)
    raise SystemExit('not so: answers are saved')


def main():
    page, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    if not shutil.which('chromedriver') or not shutil.which('chromium'):
        print('no chromium with chromedriver')
        sys.exit(77)
    with open(page, encoding='utf-8') as file:
        parsed = Items(file.read())
    expect(not parsed.outside, 'no references to elsewhere: ' + str(parsed.outside[:3]))
    expect(all(len(pictures) == 3 for pictures in parsed.items.values()), 'three pictures each')
    orders = []
    for answer in (by_mouse, by_keyboard):
        browser = Browser(folder)
        try:
            browser.call('POST', '/url', {'url': 'file://' + page})
            names = json.loads(browser.text('survey'))['networks']
            check_accessible(browser, names)
            before = os.listdir(folder)
            expected = answer(browser, parsed.items)
            with open(saved(folder, before), encoding='utf-8') as file:
                got = json.load(file)
            expect({a['image']: a for a in got['answers']} == expected, f'{answer.__name__}: what is saved is what was answered')
            expect(sum(a['left'] for a in got['answers']) in (len(expected) // 2, (len(expected) + 1) // 2), 'sides are balanced')
            orders.append(list(expected))
        finally:
            browser.close()
    expect(orders[0] != orders[1], 'persons have orders of their own')


if __name__ == '__main__':
    main()
