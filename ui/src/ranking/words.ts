import { words } from '../core/i18n';

export const t = words({
  by: ['Ranking of', 'Classement des', '排行对象'],
  user: ['Users', 'Utilisateurs', '用户'],
  account: ['Accounts', 'Comptes', '账号'],
  provider: ['Providers', 'Fournisseurs', '提供商'],
  model: ['Models', 'Modèles', '模型'],
  key: ['Keys', 'Clés', '密钥'],
  ip: ['Addresses', 'Adresses', '地址'],
  rank: ['#', '#', '#'],
  'rank.long': ['Rank', 'Rang', '名次'],
  claimed: ['named by the request', 'nommé par la requête', '由请求指定'],
  none: ['(none)', '(aucun)', '（无）'],
  other: ['Others', 'Autres', '其他'],
  all: ['Total', 'Total', '合计'],
  more: ['Show more', 'Afficher plus', '显示更多'],
  status: ['{shown} of {n}', '{shown} sur {n}', '{n} 个中的 {shown} 个'],
  empty: [
    'No requests in this time', 'Aucune requête dans cette période',
    '该时段内没有请求',
  ],
  'empty.advice': [
    'Choose a longer time above.', 'Choisissez une période plus longue.',
    '请在上方选择更长的时间。',
  ],
});
