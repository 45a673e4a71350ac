// The news of the wall, heard once for all tabs: a browser lets six connections be open to one address, streams too.

const photos = new Map();
const tabs = new Set();
let source = null;
let last = null;

function tellAll(said) {
  for (const tab of tabs) tab.postMessage(said);
}

function hear() {
  source = new EventSource("/studio/events");  // asks again by itself after a break
  source.onmessage = (event) => {
    const news = JSON.parse(event.data);
    if (news.whole) photos.clear();
    for (const photo of news.changed) photos.set(photo.id, photo);
    for (const id of news.removed) photos.delete(id);
    last = news;
    tellAll({ news });
  };
  source.onerror = () => tellAll({ isClosed: source.readyState === EventSource.CLOSED });
}

onconnect = ({ ports: [tab] }) => {
  tabs.add(tab);
  tab.onmessage = () => {  // it goes
    tabs.delete(tab);
    if (!tabs.size) source.close();
  };
  if (!source || source.readyState === EventSource.CLOSED) hear();
  else if (last) tab.postMessage({ news: { ...last, changed: [...photos.values()], removed: [], whole: true } });
};
