import { words } from '../core/i18n';

export const t = words({
  title: ['{view} · LLM traffic', '{view} · Trafic LLM', '{view} · LLM 流量'],
  skip: ['Skip to the content', 'Aller au contenu', '跳到内容'],
  views: ['Views', 'Vues', '视图'],
  log: ['Log', 'Journal', '日志'],
  live: ['Live', 'En cours', '实时'],
  statistics: ['Statistics', 'Statistiques', '统计'],
  ranking: ['Ranking', 'Classement', '排行'],
  sessions: ['Sessions', 'Sessions', '会话'],
  availability: ['Availability', 'Disponibilité', '可用性'],

  search: ['Search the log', 'Chercher dans le journal', '搜索日志'],
  'search.hint': [
    'URL, model, status, account, user, session…',
    'URL, modèle, statut, compte, utilisateur, session…',
    'URL、模型、状态、账号、用户、会话…',
  ],

  range: ['Time range', 'Période', '时间范围'],
  'range.': ['All time', 'Tout', '全部时间'],
  'range.auto': ['Automatic', 'Automatique', '自动'],
  'range.-15m': ['Last 15 min', '15 dernières min', '最近 15 分钟'],
  'range.-1h': ['Last hour', 'Dernière heure', '最近 1 小时'],
  'range.-6h': ['Last 6 h', '6 dernières h', '最近 6 小时'],
  'range.-24h': ['Last 24 h', '24 dernières h', '最近 24 小时'],
  'range.-7d': ['Last 7 days', '7 derniers jours', '最近 7 天'],
  'range.-30d': ['Last 30 days', '30 derniers jours', '最近 30 天'],
  'range.today': ['Today', 'Aujourd’hui', '今天'],
  'range.yesterday': ['Yesterday', 'Hier', '昨天'],
  'range.week': ['This week', 'Cette semaine', '本周'],
  'range.month': ['This month', 'Ce mois-ci', '本月'],
  now: ['now', 'maintenant', '现在'],
  from: ['From', 'De', '从'],
  to: ['To', 'À', '到'],
  apply: ['Apply', 'Appliquer', '应用'],
  zone: ['Time zone', 'Fuseau horaire', '时区'],

  menu: ['Settings and help', 'Réglages et aide', '设置与帮助'],
  language: ['Language', 'Langue', '语言'],
  theme: ['Colours', 'Couleurs', '配色'],
  'theme.auto': ['As the system', 'Comme le système', '跟随系统'],
  'theme.light': ['Light', 'Clair', '浅色'],
  'theme.dark': ['Dark', 'Sombre', '深色'],
  about: ['About', 'À propos', '关于'],
  'about.text': [
    'llm_monitor is a module of nginx that records the LLM traffic passing '
    + 'through it. This page asks the server that it came from, and nothing '
    + 'else.',
    'llm_monitor est un module de nginx qui enregistre le trafic LLM qui le '
    + 'traverse. Cette page n’interroge que le serveur dont elle vient.',
    'llm_monitor 是一个 nginx 模块，记录经过它的 LLM 流量。'
    + '本页面只访问提供它的服务器。',
  ],
  'about.libraries': [
    'It contains these libraries, with thanks to their authors:',
    'Elle contient ces bibliothèques ; merci à leurs auteurs :',
    '本页面包含以下程序库，感谢其作者：',
  ],

  keys: ['Keys', 'Touches', '快捷键'],
  'key.search': ['Search', 'Chercher', '搜索'],
  'key.help': ['These keys', 'Ces touches', '快捷键列表'],
  'key.move': [
    'Next, previous request', 'Requête suivante, précédente', '下一条、上一条请求',
  ],
  'key.open': ['Open the request', 'Ouvrir la requête', '打开请求'],
  'key.close': ['Close, leave', 'Fermer, quitter', '关闭、退出'],
});

export const KEYS: { keys: string[]; word: Parameters<typeof t>[0] }[] = [
  { keys: ['/'], word: 'key.search' },
  { keys: ['j', 'k'], word: 'key.move' },
  { keys: ['Enter'], word: 'key.open' },
  { keys: ['Esc'], word: 'key.close' },
  { keys: ['?'], word: 'key.help' },
];
